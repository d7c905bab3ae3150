package mask

// newCloudKeys finds the key ids of clouds; detect_secret.go finds the secrets
// that belong to them.
func newCloudKeys() machine { return &keysMachine{keyIndex: cloudKeyIndex} }

var cloudKeyIndex = indexKeys(cloudKeys)

// cloudKeys is every kind of id the detector cloud-key knows.
var cloudKeys = []keyShape{
	// AWS, IAM identifiers: long-lived, temporary, bearer token, context-specific.
	{prefix: "AKIA", only: upperCase, shortest: 16, longest: 16},
	{prefix: "ASIA", only: upperCase, shortest: 16, longest: 16},
	{prefix: "ABIA", only: upperCase, shortest: 16, longest: 16},
	{prefix: "ACCA", only: upperCase, shortest: 16, longest: 16},
	{prefix: "LTAI", wake: 3, shortest: 16, longest: 22, digit: true}, // Alibaba Cloud
	{prefix: "AKID", shortest: 32, longest: 32, digit: true},          // Tencent Cloud
}
