package mask

// newAPIKeys finds the keys of services that begin in a way of their own.
func newAPIKeys() machine { return &keysMachine{keyIndex: apiKeyIndex} }

var apiKeyIndex = indexKeys(apiKeys)

// apiKeys is every kind of key the detector api-key knows, as its maker
// documents it or as scanners for leaked keys look for it.
var apiKeys = []keyShape{
	{prefix: "spt_", shortest: 24},                             // Sallyport
	{prefix: "sk-", extra: "-_", shortest: 20, digit: true},    // OpenAI, Anthropic (sk-ant-), OpenRouter (sk-or-), DeepSeek
	{prefix: "sess-", extra: "-_", shortest: 30, digit: true},  // OpenAI
	{prefix: "AIza", wake: 3, extra: "-_", shortest: 30},       // Google
	{prefix: "GOCSPX-", extra: "-_", shortest: 20},             // Google OAuth client secret
	{prefix: "ya29.", extra: "-_.", shortest: 20},              // Google OAuth token
	{prefix: "gsk_", shortest: 30},                             // Groq
	{prefix: "xai-", extra: "-_", shortest: 30, digit: true},   // xAI
	{prefix: "pplx-", shortest: 30, digit: true},               // Perplexity
	{prefix: "hf_", shortest: 30},                              // Hugging Face
	{prefix: "r8_", shortest: 30},                              // Replicate
	{prefix: "pcsk_", extra: "_", shortest: 30},                // Pinecone
	{prefix: "lsv2_", extra: "_", shortest: 30},                // LangSmith
	{prefix: "tvly-", extra: "-", shortest: 20, digit: true},   // Tavily
	{prefix: "nvapi-", extra: "-_", shortest: 30, digit: true}, // NVIDIA
	{prefix: "ghp_", shortest: 30},
	{prefix: "gho_", shortest: 30},
	{prefix: "ghu_", shortest: 30}, // GitHub
	{prefix: "ghs_", shortest: 30},
	{prefix: "ghr_", shortest: 30},
	{prefix: "github_pat_", extra: "_", shortest: 40},
	{prefix: "glpat-", extra: "-_.", shortest: 20},
	{prefix: "glrt-", extra: "-_.", shortest: 20},
	{prefix: "gldt-", extra: "-_.", shortest: 20}, // GitLab
	{prefix: "xoxb-", extra: "-", shortest: 10, digit: true},
	{prefix: "xoxp-", extra: "-", shortest: 10, digit: true}, // Slack
	{prefix: "xoxa-", extra: "-", shortest: 10, digit: true},
	{prefix: "xoxr-", extra: "-", shortest: 10, digit: true},
	{prefix: "xoxs-", extra: "-", shortest: 10, digit: true},
	{prefix: "xoxo-", extra: "-", shortest: 10, digit: true},
	{prefix: "xoxe-", extra: "-", shortest: 10, digit: true},
	{prefix: "xoxe.", extra: "-.", shortest: 10, digit: true},
	{prefix: "xoxc-", extra: "-", shortest: 10, digit: true},
	{prefix: "xoxd-", extra: "-%", shortest: 10, digit: true},
	{prefix: "xapp-", extra: "-", shortest: 10, digit: true},
	{prefix: "hooks.slack.com/services/", extra: "/", shortest: 30},
	{prefix: "sk_live_", shortest: 16},
	{prefix: "sk_test_", shortest: 16},
	{prefix: "rk_live_", shortest: 16}, // Stripe
	{prefix: "rk_test_", shortest: 16},
	{prefix: "whsec_", extra: "+/=", shortest: 24},
	{prefix: "npm_", shortest: 36},
	{prefix: "pypi-AgE", wake: 5, extra: "-_", shortest: 40},
	{prefix: "rubygems_", shortest: 40},
	{prefix: "SK", only: lowerHex, shortest: 32, longest: 32},
	{prefix: "AC", only: lowerHex, shortest: 32, longest: 32},   // Twilio
	{prefix: "SG.", extra: "-_.", shortest: 60},                 // SendGrid
	{prefix: "key-", only: lowerHex, shortest: 32, longest: 32}, // Mailgun
	{prefix: "hvs.", extra: "-_", shortest: 20},                 // Vault
	{prefix: "hvb.", extra: "-_", shortest: 20},                 // Vault
	{prefix: "dop_v1_", shortest: 40},
	{prefix: "doo_v1_", shortest: 40}, // DigitalOcean
	{prefix: "shpat_", shortest: 32},
	{prefix: "shpss_", shortest: 32}, // Shopify
	{prefix: "shpca_", shortest: 32},
	{prefix: "shppa_", shortest: 32},                                     // Shopify
	{prefix: "dapi", wake: 3, only: lowerHex, shortest: 32, longest: 32}, // Databricks
	{prefix: "lin_api_", shortest: 30},
	{prefix: "ntn_", shortest: 40},                  // Linear, Notion
	{prefix: "ATATT3x", extra: "-_=", shortest: 40}, // Atlassian
	{prefix: "dp.pt.", shortest: 40},
	{prefix: "dp.st.", extra: ".-_", shortest: 40}, // Doppler
	{prefix: "glsa_", extra: "_", shortest: 32},
	{prefix: "glc_", extra: "+/=", shortest: 32}, // Grafana
	{prefix: "PMAK-", extra: "-", shortest: 50},  // Postman
	{prefix: "sq0atp-", extra: "-_", shortest: 20},
	{prefix: "sq0csp-", extra: "-_", shortest: 40}, // Square
	{prefix: "NRAK-", shortest: 24},
	{prefix: "sntrys_", extra: "_=+/", shortest: 40}, // New Relic, Sentry
	{prefix: "sbp_", shortest: 40},
	{prefix: "pscale_tkn_", extra: "-_.=", shortest: 30},                     // Supabase, PlanetScale
	{prefix: "AGE-SECRET-KEY-1", only: upperCase, shortest: 58, longest: 58}, // age
}
