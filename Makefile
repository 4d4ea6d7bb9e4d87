# One verb, one script. `make up` and `make test` are all that a newcomer needs.
export SEED SEEDS STEPS FUZZ_SECONDS FUZZ_SEED SOAK_REQUESTS
.PHONY: up test simulate fuzz fuzz-parser soak build release bench bench-overload bench-growth bench-gateway bench-changes bench-cost lint format bootstrap clean

up: ## Builds and starts the whole shop; options: make up ARGS="--port-base 4000"
	@scripts/up $(ARGS)

test: ## Builds and runs every test; options: make test ARGS="--filter OrderServiceTests"
	@scripts/test $(ARGS)

simulate: ## Simulates many shops with all their bad luck; options: make simulate SEEDS=10000
	@scripts/simulate

fuzz: ## Fuzzes the API by its documents, for as long as you like; options: make fuzz ARGS="--examples 500 --seed 7"
	@scripts/fuzz --examples 100 $(ARGS)

fuzz-parser: ## Fuzzes how the gateway reads requests for FUZZ_SECONDS; options: make fuzz-parser FUZZ_SECONDS=600 FUZZ_SEED=7
	@scripts/fuzz-parser

soak: ## Counts what SOAK_REQUESTS requests of faulty upstreams and vanishing clients leave in the gateway; options: make soak SOAK_REQUESTS=20000
	@scripts/soak

build: ## Builds everything
	@scripts/bootstrap && scripts/build debug

release: ## Builds everything, optimised
	@scripts/bootstrap && scripts/build release

bench: ## Measures Souk beside a plain Express shop; options: make bench ARGS="--rounds 5"
	@scripts/bench all $(ARGS)

bench-overload: ## Measures what ten times the load that it can serve does to a shop
	@scripts/bench overload $(ARGS)

bench-growth: ## Measures whether an order takes longer in a shop with a million orders and products than in one with a thousand
	@scripts/bench growth $(ARGS)

bench-gateway: ## Measures the gateway beside nginx, HAProxy and Express; options: make bench-gateway ARGS="--scenario plain"
	@scripts/bench gateway $(ARGS)

bench-changes: ## Reloads and ends the gateway under load, and counts what is lost; options: make bench-changes ARGS="--rounds 1"
	@scripts/bench changes $(ARGS)

bench-cost: ## Counts what a request costs the gateway: instructions, allocations and system calls, beside nginx and HAProxy
	@scripts/bench cost $(ARGS)

lint: ## Checks format and scripts
	@scripts/lint

format: ## Formats all Swift code
	@scripts/format

bootstrap: ## Installs missing system libraries
	@scripts/bootstrap

clean: ## Removes what was built (never a shop's data)
	@rm -rf .build
