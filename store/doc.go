// Package store is the gateway's state database: one handle and the migrations
// that give it its tables. What the tables mean is known to the rooms above,
// each of which keeps its own.
//
// A folder's SQLite file serves one machine. It runs in WAL mode, so that
// readers and the one writer do not wait for each other, and several processes
// (a gateway and `sallyport token issue`) may have it open at once.
package store
