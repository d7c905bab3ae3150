// Command httpbench measures the HTTP side of Sallyport beside what others use:
// no gateway, nginx as a reverse proxy, Portkey's gateway and LiteLLM's proxy,
// all on this machine's loopback. `make bench-http` runs it.
//
// Each case is a kind of answer at a number of connections. The gateways take
// turns, a short time each, for several rounds, so that what else the machine does
// hits all of them; ratios are of medians over the rounds. CPU is that of the
// gateway's processes alone, from /proc.
package main
