# The commands of the project. `make run` and `make test` install what is missing by themselves.
.PHONY: run test check bench fix docs screens css lock setup setup-test
PY := .venv/bin/python

run: setup
	@$(PY) -m config.run

# Both parts always run, so that one report shows everything that is wrong.
test: setup-test
	@$(MAKE) --no-print-directory check; checks=$$?; \
	$(PY) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder; tests=$$?; \
	[ $$checks -eq 0 ] || echo "The checks before the tests failed; see above." >&2; \
	[ $$checks -eq 0 ] && [ $$tests -eq 0 ]

check: setup-test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/djlint templates --lint --quiet
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(PY) -m config.docs --check
	$(PY) -m config.css --check

bench: setup-test
	$(PY) -m tests.load.bench

fix: setup-test
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

docs: setup-test
	$(PY) -m config.docs
	$(PY) manage.py spectacular --file docs/openapi.json --format openapi-json

screens: setup-test
	$(PY) -m tests.browser.screens

css: setup-test
	$(PY) -m config.css

# Writes requirements*.txt from requirements*.in; needs `uv` on the path.
lock:
	$(PY) -m config.lock

setup:
	@config/setup.sh run

setup-test:
	@config/setup.sh test
