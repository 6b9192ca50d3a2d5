"""The words of the simulated world: names, titles and errors. All of them are invented."""

from typing import Final

HOOKS: Final = (
    "validate-file",
    "format-on-save",
    "lint-python",
    "lint-shell",
    "type-check-changed",
    "run-affected-tests",
    "secret-scan",
    "license-headers",
    "block-dangerous-commands",
    "protect-generated-files",
    "protect-env-files",
    "commit-message-style",
    "branch-name-guard",
    "changelog-reminder",
    "todo-tracker",
    "import-order",
    "unused-dependencies",
    "dependency-audit",
    "spell-check-docs",
    "link-check-docs",
    "diagram-render",
    "openapi-sync",
    "migration-guard",
    "schema-snapshot",
    "coverage-floor",
    "complexity-budget",
    "bundle-size-budget",
    "image-optimiser",
    "translation-keys",
    "log-session-start",
    "log-session-end",
    "notify-desktop",
    "notify-channel",
    "token-meter",
    "context-trimmer",
    "memory-indexer",
    "worktree-cleanup",
    "release-notes-draft",
    "legacy-banner",
    "clock-skew-check",
)

DISABLED_HOOK: Final = "legacy-banner"
"""Switched off by an operator long ago and never asked for since, so it stays open though it is due."""

FORGOTTEN_HOOK: Final = "release-notes-draft"
"""Tripped by itself before the demo and not run since: open and overdue."""

TROUBLES: Final = {
    "validate-file": "Validation failed: specs/berth_plan.md has no section '## Rollback'",
    "run-affected-tests": (
        "\x1b[31mFAILED\x1b[0m tests/tariffs/test_rounding.py::test_half_cent"
        " - AssertionError: Decimal('12.345') != Decimal('12.35')\n"
        "1 failed, 86 passed in 4.11s"
    ),
    "dependency-audit": (
        "error: could not fetch https://packages.example.org/index/\n"
        "  caused by: request failed after 3 tries\n"
        "  caused by: operation timed out"
    ),
    "openapi-sync": (
        "Traceback (most recent call last):\n"
        '  File "hooks/openapi_sync.py", line 71, in <module>\n'
        "    main()\n"
        '  File "hooks/openapi_sync.py", line 58, in main\n'
        "    schema = json.loads(answer)\n"
        "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)"
    ),
    "memory-indexer": "sqlite3.OperationalError: database is locked",
    "link-check-docs": "\u2717 3 dead links in docs/handbook/moorings.md",
    "notify-channel": "HTTP 429 from https://chat.example.org/api/post: retry in 30 s",
}
"""The hooks that have bad spells, each with what it complains about."""

BLIPS: Final = (
    "Exit code 1",
    "timed out after 10 s",
    "src/berths/allocate.py:88:5 F841 local variable `draught` is assigned to but never used",
    "OSError: [Errno 28] No space left on device: '/tmp/hook.log'",
    "Command not found: [Errno 2] No such file or directory: 'shellcheck'",
    "mypy: src/pilots/roster.py:41: error: Incompatible return value type",
)
"""What any hook may stumble over once in a while."""

AREAS: Final = {
    "berths": (
        "Add berth allocation by draught",
        "Show tide windows on the berth plan",
        "Reserve a berth for recurring calls",
        "Warn when two moorings overlap",
        "Export the berth plan as PDF",
    ),
    "accounts": (
        "Add sign-in with passkeys",
        "Add e-mail verification",
        "Rotate session keys every night",
        "Let agents invite their deputies",
        "Lock accounts after repeated failures",
    ),
    "tariffs": (
        "Move tariffs to decimal arithmetic",
        "Round dues to half cents",
        "Add seasonal tariff tables",
        "Recalculate open invoices after a change",
        "Explain each line of an invoice",
    ),
    "pilots": (
        "Import the pilot roster from CSV",
        "Swap shifts between pilots",
        "Respect rest times in the roster",
        "Send the morning roster by mail",
        "Show pilots on the harbour map",
    ),
    "search": (
        "Full-text search over ship calls",
        "Search by call sign and IMO number",
        "Remember recent searches",
        "Rank results by arrival time",
        "Highlight matches in notes",
    ),
    "api": (
        "Version the public API",
        "Rate limit anonymous clients",
        "Sign webhooks with rotating secrets",
        "Publish the OpenAPI schema from CI",
        "Accept idempotency keys on bookings",
    ),
    "operations": (
        "Expose metrics with histogram buckets",
        "Write structured logs everywhere",
        "Verify backups every night",
        "Replace cron jobs with a scheduler",
        "Add a read-only mode for maintenance",
    ),
    "interface": (
        "Dark colours for the night watch",
        "Keyboard shortcuts on the call board",
        "Accessible forms for bookings",
        "Translate the quay signs (fr, de, 日本語)",
        "Keep filters when paging",
    ),
    "customs": (
        "Validate manifests on upload",
        "Flag dangerous goods by class",
        "Sign declarations electronically",
        "Archive declarations for ten years",
        "Split manifests by consignee",
    ),
    "weather": (
        "Fetch gale warnings every ten minutes",
        "Close the entrance above force nine",
        "Draw the swell forecast",
        "Compare forecast and measurement",
        "Notify masters of changed windows",
    ),
}
"""Features of an invented harbour office, by area; inside an area a feature may build on the one before it."""

DOC_TITLES: Final = (
    "Write the quick start",
    "Describe every tariff table",
    "Check all links in the handbook",
    "Add a glossary of harbour terms",
    "Record the architecture decisions",
    "Translate the error messages",
)

RELEASE_TITLES: Final = (
    "Freeze the database schema",
    "Raise the minimum browser version",
    "Remove the old booking form",
    "Migrate stored sessions",
    "Update third-party licences",
    "Rehearse the rollback",
    "Load test with a busy week",
    "Rehearse the move to the new host",
    "Write the release notes",
    "Tell the harbour masters",
    "Tag the release",
    "Watch the first night",
)

FEATURE_ERRORS: Final = (
    (
        "Tests failed: 3 failed, 118 passed\n"
        "  tests/berths/test_overlap.py::test_touching_moorings - assert 2 == 1\n"
        "  tests/berths/test_overlap.py::test_same_minute - assert 1 == 0\n"
        "  tests/berths/test_export.py::test_page_count - FileNotFoundError: 'fonts/quay.ttf'"
    ),
    (
        "Traceback (most recent call last):\n"
        '  File "src/rosters/importer.py", line 132, in read_rows\n'
        "    start = parse_time(row['start'])\n"
        '  File "src/rosters/times.py", line 24, in parse_time\n'
        "    raise ValueError(f'not a time: {text!r}')\n"
        "ValueError: not a time: '24:15'"
    ),
    ("ConnectionError: could not reach mail.example.org:587\n  tried 3 times in 42 s, last answer: connection refused"),
    (
        "mypy: 2 errors in 1 file (checked 214 source files)\n"
        "src/tariffs/tables.py:77: error: Argument 1 has incompatible type 'float'; expected 'Decimal'\n"
        "src/tariffs/tables.py:91: error: Missing return statement"
    ),
    "SyntaxError: '(' was never closed (declarations.py, line 44)",
    (
        "The migration cannot be applied twice:\n"
        '  psycopg.errors.DuplicateColumn: column "draught_cm" of relation "ship_calls" already exists\n'
        "  hint: 0042_draught.sql has no IF NOT EXISTS"
    ),
    "Stopped after 600 s without output; last line: 'waiting for the build lock'",
)

SKIP_REASONS: Final = (
    ("quality_gate", "Security audit failed: the upload form accepts any content type"),
    ("quality_gate", "Coverage would fall from 81.4 % to 76.0 %"),
    ("manual", "Postponed by the operator until the schema is frozen"),
    ("manual", "Already done by hand last week"),
)

PUSH_ERROR: Final = "fatal: unable to access 'https://git.example.org/harbour/desk/': could not resolve host"

WORKFLOW_TITLES: Final = (
    "Rewrite the checkout of berth bookings",
    "Split the tariff engine from invoicing",
    "Speed up the arrivals board",
    "Replace the map tiles",
    "Introduce soft delete for ship calls",
    "Cache tide tables at the edge",
    "Make the roster work offline",
    "Unify error pages",
    "Stream AIS positions to the map",
    "Retire the fax gateway",
)

SOURCE_FILES: Final = (
    "src/berths/allocate.py",
    "src/berths/plan.py",
    "src/tariffs/engine.py",
    "src/tariffs/tables.py",
    "src/calls/board.py",
    "src/calls/repository.py",
    "src/map/tiles.py",
    "src/rosters/offline.py",
    "src/web/errors.py",
    "tests/test_board.py",
)

REQUIREMENTS: Final = (
    "existing bookings keep their numbers",
    "no page takes longer than 300 ms",
    "works without JavaScript",
    "every change is in the audit log",
    "can be switched off without a release",
)

PHASE_ERRORS: Final = {
    "scout": "No file mentions the term; is the title right?",
    "plan": "The tasks depend on each other in a circle: T2 -> T3 -> T2",
    "build": "pytest: 4 failed, 207 passed\n  tests/test_board.py::test_sorting - IndexError: list index out of range",
    "review": "Rejected: the new index is never used by the query planner",
}
