package mask

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// detect compiles detectors that redact; all of them when none is named.
func detect(t testing.TB, names ...string) *Detectors {
	t.Helper()
	if len(names) == 0 {
		names = DetectorNames()
	}
	redact, _ := Lookup("redact")
	d, err := NewDetectors(Detection{names, redact})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// shown writes text with what was found in brackets.
func shown(d *Detectors, text string) string {
	var b strings.Builder
	at := 0
	for _, s := range d.Find(nil, []byte(text)) {
		fmt.Fprintf(&b, "%s‹%s›", text[at:s.Start], text[s.Start:s.End])
		at = s.End
	}
	return b.String() + text[at:]
}

const (
	jwtHeader = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
	jwtWhole  = jwtHeader + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
	azureKey  = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
	awsKey    = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	hex40     = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
)

func TestDetectors(t *testing.T) {
	pem := "-----BEGIN RSA PRIVATE KEY-----\nMIIE+/=\nabc\n-----END RSA PRIVATE KEY-----"
	for name, cases := range map[string]struct{ yes, no []string }{
		"email": {
			yes: []string{
				"‹bob@example.com›", "mail ‹bob@example.com›.", "<‹bob@example.com›>", "\"‹bob@example.com›\"", "mailto:‹bob@example.com›?subject=x",
				"(‹b.o_b+tag@mail.example.co.uk›)", "**‹bob@example.com›**", "‹o'brien@example.com›", "'‹bob@example.com›'", "key=‹bob@example.com›",
				"‹a@b.co›", "‹bob@xn--bcher-kva.example›", "‹bob@bücher.example›", "‹jürgen@example.de›", "‹bob%40example.com›", "‹bob@example.com›,‹alice@example.org›",
				"联系‹bob@example.com›吧", "‹bob@example.com›-x", "‹bob@example.com›_", "‹a@b.com@c.com›", "‹r&d@example.com›", "https://user:‹pw@example.com›/", "‹1@2.io›", "‹BOB@EXAMPLE.COM›",
				"‹bob@ex-ample.museum›...", "‹bob@example.com›1", "x ‹_bob@example.com›", "‹bob@mail-1.example.com›",
			},
			no: []string{
				"bob", "@bob", "bob@", "bob@localhost", "bob at example.com", "@example.com", "bob@.com", "a @ b.com", "bob@example.c", "npm i @scope/name.js", "1@2.3", "bob@@example.com"[:5],
				"https://medium.com/@bob.example", "bob@-x.com", "x@y..com", "user@1.2.3.4", "50% @ 4.5", "%40", "a%4", "foo @bar.baz qux", "",
			},
		},
		"payment-card": {
			yes: []string{
				"‹4111111111111111›", "card ‹4111 1111 1111 1111›.", "‹4111-1111-1111-1111›", "‹378282246310005›", "‹3782 822463 10005›", "‹30569309025904›", "‹3056 930902 5904›",
				"‹6011111111111117›", "‹3530111333300000›", "‹5555555555554444›", "‹5105 1051 0510 5100› exp 12/27", "‹4111 1111 1111 1111› 123", "‹4222222222222›", "‹2223003122003222›",
				"PAN‹4111111111111111›x", "4711 ‹4111 1111 1111 1111›", "‹4111\u00a01111\u00a01111\u00a01111›", "‹4111\u20111111\u20111111\u20111111›", "‹4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1›",
				"pan=‹4111111111111111›,cvv=1", "‹6200000000000005›", "‹6304000000000000›", "‹4000000000000000006›", "x.‹4111111111111111›", "‹5019717010103742›",
			},
			no: []string{
				"4111111111111112", "4111 1111 1111 1112", "1234567890123456", "0000000000000000", "0.4111111111111111", "41111111111111111", "411111111111111", "4111  1111  1111  1111",
				"4111 1111-1111 1111", "4111.1111.1111.1111", "1700000000000", "17000000000000000000", "41 11 11 11 11 11 11 11", "4 1111 1111 1111 111", "550e8400-e29b-41d4-a716-446655440000",
				"4111,1111,1111,1111", "2024-05-01 12:30", "5555", "4111\n1111\n1111\n1111", "9999 9999 9999 9999",
			},
		},
		"iban": {
			yes: []string{
				"‹GB82WEST12345698765432›", "‹GB82 WEST 1234 5698 7654 32›", "‹DE89370400440532013000›", "‹DE89 3704 0044 0532 0130 00›.", "‹FR1420041010050500013M02606›", "‹NO9386011117947›",
				"‹CH93 0076 2011 6238 5295 7›", "IBAN:‹NL91ABNA0417164300›", "‹de89370400440532013000›", "‹BE68-5390-0754-7034›", "‹ES9121000418450200051332›", "(‹SE4550000000058398257466›)",
				"DE12 ‹GB82 WEST 1234 5698 7654 32›", "‹MT84MALT011000012345MTLCAST001S›", "‹AT611904300234573201› and", "‹DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000›", "‹PL61109010140000071219812874›, ‹LU280019400644750000›",
			},
			no: []string{
				"GB82WEST12345698765433", "DE89370400440532013001", "XX82WEST12345698765432", "GB82WEST1234569876543", "GB82WEST123456987654321", "AGB82WEST12345698765432", "DE89", "DE89 is a code",
				"GB82  WEST 1234 5698 7654 32", "GB82.WEST.1234.5698.7654.32", "ISO9001", "G B82WEST12345698765432", "DE", "82WEST12345698765432", "DE8937040044053201300Z", "no12 34", "GBWEST12345698765432",
			},
		},
		"us-ssn": {
			yes: []string{
				"‹078-05-1120›", "ssn ‹078-05-1120›.", "‹123 45 6789›", "SSN: ‹123456789›", "my social security number is ‹123456789›", "ssn=‹078051120›", "‹899-99-9999›", "\"ssn\": \"‹123-45-6789›\"",
				"(‹123-45-6789›)", "SSN‹123-45-6789›", "‹123\u201145\u20116789›", "social_security: ‹123.45.6789›", "ssn 1, ‹123 45 6789›", "‹001-01-0001›", "taxpayer id ‹123-45-6789›", "x,‹123-45-6789›,y", "‹665-45-6789›",
			},
			no: []string{
				"000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000", "123456789", "123-456-789", "123-45-67890", "1123-45-6789", "1-123-45-6789", "123-45-6789-1",
				"123 45 6789 12", "123-45 6789", "123.45.6789", "ssn 000000000", "A123-45-6789", "123-45-6789B", "2024-01-1234", "id 123456789", "ssn 12345678",
			},
		},
		"phone": {
			yes: []string{
				"‹+14155550123›", "‹+1 415 555 0123›", "‹+49 170 1234567›", "‹+44 (0)20 7946 0958›", "‹(415) 555-0123›", "‹415-555-0123›", "‹415.555.0123›", "call ‹1-800-555-0199›.", "‹415 555 0123›",
				"‹01 23 45 67 89›", "‹06.12.34.56.78›", "‹020 7946 0958›", "‹07700 900123›", "‹030/1234567›", "‹(030) 1234 567›", "‹0049 170 1234567›", "tel:‹+33123456789›", "‹(+49) 170 1234567›", "‹03-1234-5678›",
				"‹+1-415-555-0123› or ‹+1-415-555-0124›", "‹+1\u2011415\u2011555\u20110123›", "‹(415)555-0123›", "2024-05-01 ‹415-555-0123›", "12345678901234567890 ‹(415) 555-0123›",
			},
			no: []string{
				"4155550123", "+123", "2024-05-01", "2024-05-01 12:30:45", "192.168.100.200", "123-456-789", "115-555-0123", "415-155-0123", "415-555-01234", "1.2.3", "a+14155550123", "order 0123456789",
				"078-05-1120", "4111 1111 1111 1111", "01/02/2024", "$1,234,567.89", "(2024) 12", "id-415-555-0123-9", "3.14159265358979", "0.123.4567", "415 555 0123 4567", "12 34 56 78 90",
			},
		},
		"ip": {
			yes: []string{
				"‹10.0.0.1›", "at ‹192.168.1.254›.", "‹10.0.0.1›:8080", "‹10.0.0.0›/8", "http://‹127.0.0.1›/", "[‹::1›]:80", "‹fe80::1›%eth0", "‹2001:db8::8a2e:370:7334›", "‹2001:0db8:85a3:0000:0000:8a2e:0370:7334›",
				"‹::ffff:10.0.0.1›", "‹10.0.0.1›-‹10.0.0.9›", "‹2001:db8::›/32", "addr:‹10.0.0.1›", "face:‹10.0.0.1›", "12:‹10.0.0.1›", "‹255.255.255.255›", "(‹1.1.1.1›)", "‹FE80::1›", "‹64:ff9b::192.0.2.33›", "‹8.8.8.8›,‹8.8.4.4›", "‹fe80::1›:",
			},
			no: []string{
				"256.1.1.1", "1.2.3", "1.2.3.4.5", "v1.2.3.4", "1.2.3.4a", "12:30:45", "std::vector", "a::b", "::", "aa:bb:cc:dd:ee:ff", "1..2.3.4", "1.2.3.", "2024:05", "1:2:3:4:5:6:7:8:9", "12345::1", "1::2::3",
				"add: x", "1.2.3.4567", "x_1.2.3.4", "fe80::g",
			},
		},
		"jwt": {
			yes: []string{
				"‹" + jwtWhole + "›", "Bearer ‹" + jwtWhole + "›", "\"‹" + jwtWhole + "›\"", "token=‹" + jwtWhole + "›&x=1", "‹" + jwtWhole + "›.", "‹" + jwtHeader + ".e30›", "‹" + jwtHeader + ".e30›.", "‹" + jwtHeader + ".e30.abc.def.ghi›",
				"(‹" + jwtWhole + "›)", "‹" + jwtWhole + "›,‹" + jwtWhole + "›", "-‹" + jwtWhole + "›", "_‹" + jwtWhole + "›", "‹" + jwtHeader + "..abc›", "‹eyJ" + strings.Repeat("a", maxJWTHeader) + "›", "<‹" + jwtWhole + "›>", "jwt:‹" + jwtWhole + "›\n",
			},
			no: []string{
				"eyJ", "eyJhbGci", jwtHeader, jwtHeader + ".", jwtHeader + ". x", "xeyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.a", "eyJhIjoxfQ.eyJhIjoxfQ.abc", "eyJub3QganNvbg.e30.a", "eyJ.e30.a", "a.b.c", "eyK.e30.a",
				"eyj" + jwtHeader[3:] + ".e30.a", jwtHeader + "/e30", "Heyja.b.c", "eyJ!", "e y J",
			},
		},
		"private-key": {
			yes: []string{
				"‹" + pem + "›", "key:\n‹" + pem + "›\nend", "‹" + strings.ReplaceAll(pem, "\n", "\\n") + "›", "‹" + strings.ReplaceAll(pem, "\n", "\r\n") + "›", "‹" + strings.ReplaceAll(pem, "RSA ", "") + "›",
				"‹" + strings.ReplaceAll(pem, "RSA", "EC") + "›", "‹" + strings.ReplaceAll(pem, "RSA", "OPENSSH") + "›", "‹" + strings.ReplaceAll(pem, "RSA", "ENCRYPTED") + "›", "-‹" + pem + "›-", "‹" + pem + "›‹" + pem + "›", "‹" + pem[:60] + "›",
				"‹-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: x\n\nabc\n-----END PGP PRIVATE KEY BLOCK-----›", "x-----y ‹" + pem + "›", "----- ‹" + pem + "›", "‹-----BEGIN PRIVATE KEY-----›", "-----BEGIN X-----‹" + pem + "›",
			},
			no: []string{
				"-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----", "BEGIN PRIVATE KEY", "----BEGIN PRIVATE KEY----", "-----BEGIN private key-----", "-----", "---",
				"-----END PRIVATE KEY-----", "----- BEGIN PRIVATE KEY-----", "-----BEGINPRIVATE KEY-----", "-----BEGIN PRIVATE KEYS-----", "| --- | --- |", "-----B", "-----BEGIN ", "a private key", "--BEGIN--", "-----BEGIN PRIVATE\nKEY-----",
			},
		},
		"api-key": {
			yes: []string{
				"‹sk-abcdefghijklmnopqrst1234567890›", "‹sk-proj-abc_DEF-1234567890abcdef›", "‹sk-ant-api03-AbCdEfGhIjKlMnOp-1234_xyz›", "key=‹ghp_abcdefghijklmnopqrstuvwxyz0123456789›;", "‹github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789ABCDEFGHIJ›",
				"‹xoxb-123456789012-abcdefghijklm›", "‹sk_live_abcdefghijklmnop1234›", "‹AIzaSyA1234567890abcdefghijklmnopqrstuv›", "‹spt_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLM›", "‹npm_abcdefghijklmnopqrstuvwxyz0123456789›",
				"‹pypi-AgEIcHlwaS5vcmcCJDAxMjM0NTY3LTg5YWItY2RlZi0wMTIz›", "‹SK0123456789abcdef0123456789abcdef›", "‹AC0123456789abcdef0123456789abcdef›", "‹SG.abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG›",
				"Bearer ‹sk-abcdefghijklmnopqrst1234567890›.", "‹hf_abcdefghijklmnopqrstuvwxyzABCDEF›", "‹glpat-abcdefghij1234567890›", "https://‹hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX›", "‹hvs.CAESIAbcdefghijklmnopqrstu›", "(‹pcsk_abcde_fghijklmnopqrstuvwxyz0123456789›)",
				"‹AGE-SECRET-KEY-1QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE›", "_‹gsk_abcdefghijklmnopqrstuvwxyz0123456789›", "‹dapi0123456789abcdef0123456789abcdef›",
			},
			no: []string{
				"sk-", "sk-learn-contrib-packages-for-everyone", "task-abcdefghijklmnopqrst1234567890", "sk-short1", "ghp_short", "SK", "AC", "ACABCDEF0123456789abcdef0123456789", "AC0123456789abcdef0123456789abcdef0", "npm_config_registry", "npm install", "xoxb-",
				"AIza", "risk-management-2024-and-beyond-1234", "mask_live_abcdefghijklmnop1234", "SG.x", "hf_transfer", "key-value", "spt_", "pk_live_abcdefghijklmnop1234", "ghp_", "the sk- prefix",
			},
		},
		"cloud-key": {
			yes: []string{
				"‹AKIAIOSFODNN7EXAMPLE›", "id=‹ASIAIOSFODNN7EXAMPLE›,", "aws_secret_access_key = ‹" + awsKey + "›", "AWS_SECRET_ACCESS_KEY=‹" + awsKey + "›", "\"SecretAccessKey\": \"‹" + awsKey + "›\"", "secret key: ‹" + awsKey + "›.", "aws key ‹" + awsKey + "›",
				"AccountKey=‹" + azureKey + "›;EndpointSuffix=core.windows.net", "\"private_key_id\": \"‹" + hex40 + "›\"", "storage account key: ‹" + azureKey + "›", "SharedAccessKey=‹" + azureKey + "›", "_‹AKIAIOSFODNN7EXAMPLE›_", "‹AKIAIOSFODNN7EXAMPLE›.", "‹ABIAIOSFODNN7EXAMPLE›",
				"secretAccessKey: '‹" + awsKey + "›'", "‹LTAI5tABCDEFGH1234567890›", "‹AKIDabcdefghijklmnopqrstuvwxyz012345›", "privateKeyId=‹" + hex40 + "›",
			},
			no: []string{
				"AKIA", "AKIAIOSFODNN7EXAMPL", "AKIAIOSFODNN7EXAMPLEX", "xAKIAIOSFODNN7EXAMPLE", "AKIAiosfodnn7example", awsKey, azureKey, hex40, "commit " + hex40, "sha512-" + azureKey, "secret key: short", "secret key: " + awsKey + "xx",
				"aws_secret_access_key", "private_key_id: " + azureKey, "the key of " + hex40, "LTAIabcdefghijklmnop", "secret access key is a value that is forty bytes long, and never ever short " + awsKey,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := detect(t, name)
			if len(cases.yes) < 15 || len(cases.no) < 15 {
				t.Errorf("%d and %d cases", len(cases.yes), len(cases.no))
			}
			for _, want := range cases.yes {
				text := strings.NewReplacer("‹", "", "›", "").Replace(want)
				if got := shown(d, text); got != want {
					t.Errorf("got  %q\nwant %q", got, want)
				}
			}
			for _, text := range cases.no {
				if got := shown(d, text); got != text {
					t.Errorf("got  %q\nwant nothing", got)
				}
			}
			for _, text := range append(cases.yes, cases.no...) {
				streamed(t, d, strings.NewReplacer("‹", "", "›", "").Replace(text), rand.New(rand.NewPCG(1, 2)))
			}
		})
	}
	if len(DetectorNames()) != 10 {
		t.Error(DetectorNames())
	}
	if len(detectors) > 16 {
		t.Error("a scan has room for 16 machines")
	}
}

// streamed checks that a text in pieces is masked as it is in whole, and that no
// byte of a value was let go.
func streamed(t testing.TB, d *Detectors, text string, rnd *rand.Rand) {
	t.Helper()
	whole, n := d.Append(nil, []byte(text), "")
	spans := d.Find(nil, []byte(text))
	if n != len(spans) {
		t.Fatalf("%q: %d masked, %d found", text, n, len(spans))
	}
	for _, most := range []int{1, 3, 40} {
		c := d.Scanner("")
		var out []byte
		for at := 0; at < len(text); {
			next := min(len(text), at+1+rnd.IntN(most))
			out = c.Write(out, []byte(text[at:next]))
			at = next
			// What is out so far is a prefix of the masked whole: a prefix of a value
			// that is masked could be no part of that.
			if !strings.HasPrefix(string(whole), string(out)) {
				t.Fatalf("%.2000q in pieces of %d: after %d sent\n%.2000q, no prefix of\n%.2000q", text, most, at, out, whole)
			}
		}
		if out = c.Close(out); string(out) != string(whole) {
			t.Fatalf("%.2000q in pieces of %d:\n%.2000q, want\n%.2000q", text, most, out, whole)
		}
	}
}
