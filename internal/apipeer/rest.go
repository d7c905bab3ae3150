package apipeer

import (
	"io"
	"net/http"
	"strings"
)

// REST is a plain API: it answers a JSON object that repeats the request's body,
// under /stream the pieces of a text, each flushed, under /slow a text that does
// not end, and under /fail an error.
func REST(key string) *Peer {
	return start(key, bearer, func(c *call) {
		switch {
		case strings.HasPrefix(c.URL.Path, "/stream"):
			c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			for _, piece := range pieces {
				_, _ = io.WriteString(c.w, piece)
				c.flush()
			}
		case strings.HasPrefix(c.URL.Path, "/slow"):
			c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = io.WriteString(c.w, "Wait\n")
			c.flush()
			c.hold()
		case strings.HasPrefix(c.URL.Path, "/fail"):
			c.json(http.StatusServiceUnavailable, object{"message": "come again"})
		case strings.HasPrefix(c.URL.Path, "/moved"):
			http.Redirect(c.w, c.Request, "http://"+c.Host+"/items/7", http.StatusFound)
		default:
			c.json(http.StatusOK, object{"email": Address, "method": c.Method, "path": c.URL.Path, "got": string(c.body)})
		}
	})
}

// Pinecone describes one index, at the address of data, which is the Pinecone
// of the index itself.
func Pinecone(key string, data *Peer) *Peer {
	return start(key, apiKey, func(c *call) {
		host := strings.TrimPrefix(data.URL, "http://")
		index := object{
			"name": "notes", "dimension": 3, "metric": "cosine", "host": host, "private_host": host, "vector_type": "dense",
			"schema":     object{"fields": object{"values": object{"type": "dense_vector", "dimension": 3, "metric": "cosine"}}},
			"deployment": object{"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"},
			"status":     object{"ready": true, "state": "Ready"}, "deletion_protection": "disabled", "tags": nil,
			"spec": object{"serverless": object{"cloud": "aws", "region": "us-east-1"}},
		}
		switch {
		case strings.TrimSuffix(c.URL.Path, "/") == "/indexes":
			c.json(http.StatusOK, object{"indexes": list{index}})
		case strings.HasPrefix(c.URL.Path, "/indexes/notes"):
			c.json(http.StatusOK, index)
		default:
			c.json(http.StatusNotFound, object{"error": object{"code": "NOT_FOUND", "message": "no such index"}, "status": 404})
		}
	})
}

// PineconeData is one index of Pinecone's. Namespaces named by the words of peer.go
// are answered so.
func PineconeData(key string) *Peer {
	return start(key, apiKey, func(c *call) {
		match := object{"id": "n1", "score": 0.5, "values": list{}, "metadata": object{"email": Address}}
		switch c.URL.Path {
		case "/query":
			if strings.Contains(string(c.body), `"`+WordSlow+`"`) {
				c.hold()
				return
			}
			if strings.Contains(string(c.body), `"`+WordFail+`"`) {
				c.json(http.StatusBadRequest, object{"code": 3, "message": "the model failed", "details": list{}})
				return
			}
			c.json(http.StatusOK, object{"matches": list{match}, "namespace": "", "usage": object{"readUnits": 1}})
		case "/vectors/upsert":
			c.json(http.StatusOK, object{"upsertedCount": 1})
		case "/vectors/delete":
			c.json(http.StatusOK, object{})
		case "/describe_index_stats":
			c.json(http.StatusOK, object{"namespaces": object{"": object{"vectorCount": 1}}, "dimension": 3, "indexFullness": 0, "totalVectorCount": 1})
		default:
			c.json(http.StatusNotFound, object{"code": 5, "message": "unknown", "details": list{}})
		}
	})
}

func apiKey(r *http.Request) string { return r.Header.Get("Api-Key") }
