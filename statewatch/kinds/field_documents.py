"""State files of tools in the field that have neither circuits nor items, a few declarative lines each.

They are shown, and watched; what changes them is known to their own tools, and to the managers for some.
"""

from statewatch.kinds.declaration import Declaration, Fact

SESSION_STATE = Declaration(
    name="session state",
    noun="session state",
    files=("SESSION_STATE.json",),
    has=("/session_context", "/workflow_state"),
    circuits=None,
    facts=(
        Fact("active tasks", "/session_context/active_tasks"),
        Fact("pending", "/workflow_state/pending_todos"),
        Fact("last feature", "/workflow_state/last_implement/feature"),
        Fact("done", "/workflow_state/last_implement/completed_at"),
        Fact("conventions", "/session_context/key_conventions"),
        Fact("recent files", "/workflow_state/recent_files"),
        Fact("session", "/last_session_id"),
        Fact("updated", "/last_updated"),
    ),
    stamps=("/last_updated",),
    when_damaged="its tool begins anew then, and overwrites it when it saves",
)

USER_STATE = Declaration(
    name="user state",
    noun="user state",
    files=("user_state.json",),
    some=("/first_run_complete", "/batch_retry_enabled"),
    circuits=None,
    facts=(
        Fact("first run complete", "/first_run_complete"),
        Fact("preferences", "/preferences"),
        Fact("retries allowed", "/batch_retry_enabled"),
        Fact("version", "/version"),
    ),
    when_damaged="its tool begins anew then, as for a first run",
)

PREFERENCES = Declaration(
    name="preferences",
    noun="workflow preferences",
    files=(".autonomous-dev/workflow_state.json",),
    has=("/sessions", "/corrections", "/preferences"),
    circuits=None,
    facts=(
        Fact("sessions", "/sessions"),
        Fact("corrections", "/corrections"),
        Fact("emphasized steps", "/preferences/emphasized_steps"),
        Fact("last session", "/sessions/-1/task_type"),
        Fact("began", "/sessions/-1/started_at"),
        Fact("updated", "/metadata/updated_at"),
    ),
    stamps=("/metadata/updated_at",),
    identities={
        "/sessions": "session_id",
        "/sessions/*/steps": ("step", "timestamp"),
        "/corrections": ("step", "timestamp"),
    },
)

COMPLETIONS = Declaration(
    name="completions",
    noun="record of completed agents",
    files=("pipeline_agent_completions_*.json",),
    has=("/completions", "/session_id"),
    circuits=None,
    facts=(
        Fact("agents told of", "/completions/*"),  # each scope repeats them, so they are not added up
        Fact("scopes", "/completions"),
        Fact("validation", "/validation_mode"),
        Fact("launches", "/launches"),
        Fact("session", "/session_id"),
        Fact("created", "/created_at"),
    ),
)

SENTINEL = Declaration(
    name="sentinel",
    noun="signed pipeline sentinel",
    files=("implement_pipeline_state.json",),
    has=("/hmac", "/nonce", "/run_id"),
    circuits=None,
    facts=(
        Fact("run", "/run_id"),
        Fact("mode", "/mode"),
        Fact("session began", "/session_start"),
        Fact("asked for", "/explicitly_invoked"),
        Fact("tests before", "/baseline_count"),
        Fact("session", "/session_id"),
    ),
    sealed="it is signed: after any change its own tool takes it for forged, and stops the run",
    private=True,
    naive="local",
    note="signed, so it is only shown",
)

DRAIN_PENDING = Declaration(
    name="drain pending",
    noun="marker of a drain under way",
    files=("drain_pending.json",),
    has=("/issues", "/cluster_tag"),
    circuits=None,
    stands="pending",
    facts=(
        Fact("cluster", "/cluster_tag"),
        Fact("issues", "/issues"),
        Fact("began", "/started_at"),
        Fact("session", "/session_id"),
    ),
    note="commits that mention none of its issues are blocked while it is there",
)

RECOVERY = Declaration(
    name="recovery",
    noun="recovery marker",
    files=("compaction_recovery.json",),
    has=("/saved_at", "/compact_summary"),
    circuits=None,
    status="/status",
    facts=(
        Fact("batch", "/batch_id"),
        Fact("item", "/current_index", of="/total_features"),
        Fact("run", "/pipeline/run_id"),
        Fact("saved", "/saved_at"),
    ),
)

MANIFEST = Declaration(
    name="watch manifest",
    noun="manifest of watch triggers",
    files=("goa_manifest.json",),
    has=("/trigger_ids", "/thresholds"),
    circuits=None,
    facts=(
        Fact("triggers", "/trigger_ids"),
        Fact("drop rate %", "/thresholds/drop_rate_pct"),
        Fact("created", "/created_utc"),
    ),
)

PROGRESS = Declaration(
    name="progress",
    noun="progress of a workflow",
    files=("progress.json",),
    promises=False,
    has=("/workflow_id", "/progress_percentage"),
    circuits=None,
    status="/status",
    facts=(
        Fact("percent", "/progress_percentage", of=100),
        Fact("agent", "/current_agent"),
        Fact("workflow", "/workflow_id"),
        Fact("message", "/message"),
        Fact("updated", "/updated_at"),
    ),
    stamps=("/updated_at",),
)

ARTIFACT = Declaration(
    name="artifact",
    noun="artifact of an agent",
    has=("/version", "/agent", "/workflow_id", "/status"),
    circuits=None,
    status="/status",
    facts=(
        Fact("agent", "/agent"),
        Fact("summary", "/summary"),
        Fact("request", "/request"),
        Fact("files", "/files"),
        Fact("workflow", "/workflow_id"),
        Fact("created", "/created_at"),
    ),
)

PROMPTS = Declaration(
    name="prompts",
    noun="record of prompts",
    has=("/session_id", "/prompts"),
    circuits=None,
    facts=(Fact("prompts", "/prompts"), Fact("session", "/session_id")),
    private=True,
    note="prompts may be private: only their number is shown",
)

RALPH_SIGNALS = Declaration(
    name="ralph signals",
    noun="exit signals of a loop",
    files=(".ralph/.exit_signals",),
    promises=False,
    has=("/done_signals", "/completion_indicators"),
    circuits=None,
    facts=(
        Fact("done signals", "/done_signals"),
        Fact("completion indicators", "/completion_indicators"),
        Fact("loops of tests only", "/test_only_loops"),
    ),
)

RALPH_ANALYSIS = Declaration(
    name="ralph analysis",
    noun="analysis of a loop's answer",
    files=(".ralph/.response_analysis",),
    promises=False,
    has=("/loop_number", "/analysis"),
    circuits=None,
    facts=(
        Fact("loop", "/loop_number"),
        Fact("progress", "/analysis/has_progress"),
        Fact("stuck", "/analysis/is_stuck"),
        Fact("exit signal", "/analysis/exit_signal"),
        Fact("files modified", "/analysis/files_modified"),
        Fact("summary", "/analysis/work_summary"),
    ),
    tolerates=True,
)

# --- what has too little of its own in it: the name decides

PAUSE_CHECKPOINT = Declaration(
    name="pause checkpoint",
    noun="checkpoint of a pause",
    files=("pause_checkpoint.json",),
    has=("/agent", "/timestamp"),
    only_named=True,
    circuits=None,
    stands="paused",
    facts=(Fact("agent", "/agent"), Fact("step", "/step"), Fact("item", "/feature_index"), Fact("since", "/timestamp")),
    note="it goes on when PAUSE, HUMAN_INPUT.md and this file are gone",
    calls="an agent waits; it goes on when PAUSE, HUMAN_INPUT.md and this file are removed",
)

RALPH_PROGRESS = Declaration(
    name="ralph progress",
    noun="progress of a loop",
    files=(".ralph/progress.json",),
    promises=False,
    has=("/status", "/timestamp"),
    only_named=True,
    circuits=None,
    status="/status",
    facts=(
        Fact("seconds", "/elapsed_seconds"),
        Fact("at", "/timestamp"),
        Fact("last output", "/last_output"),
    ),
    naive="local",
    tolerates=True,
)

RALPH_SESSION = Declaration(
    name="ralph session",
    noun="session of a loop",
    files=(".ralph/.ralph_session",),
    promises=False,
    has=("/session_id",),
    only_named=True,
    circuits=None,
    facts=(
        Fact("session", "/session_id"),
        Fact("used last", "/last_used"),
        Fact("reset", "/reset_at"),
        Fact("reset for", "/reset_reason"),
    ),
)

TEST_STATUS = Declaration(
    name="test status",
    noun="status of the tests",
    files=(".autonomous-dev/test-status.json",),
    promises=False,
    has=("/passed",),
    only_named=True,
    circuits=None,
    facts=(Fact("passed", "/passed"), Fact("at", "/timestamp")),
)

PAUSE_REQUEST = Declaration(
    name="pause request",
    noun="request to pause",
    files=(".claude/PAUSE",),
    only_named=True,
    circuits=None,
    stands="pause requested",
    note="agents stop at their next step while it is there; `statewatch remove` lifts it",
    layout="text",
)

HUMAN_INPUT = Declaration(
    name="human input",
    noun="word of the operator to agents",
    files=(".claude/HUMAN_INPUT.md",),
    only_named=True,
    circuits=None,
    stands="waits to be read",
    layout="text",
)

DRAIN_LOG = Declaration(
    name="drain log",
    noun="log of drains",
    files=("drain_log.jsonl",),
    only_named=True,
    circuits=None,
    log="{cluster_id}: {outcome}, {revert_status}, {wall_seconds} s",
    logged_at="/timestamp",
    layout="lines",
)

DRAIN_NOTIFICATIONS = Declaration(
    name="drain notifications",
    noun="notifications of drains",
    files=("drain_notifications.jsonl",),
    only_named=True,
    circuits=None,
    log="{kind}: {reason}",
    logged_at="/timestamp",
    layout="lines",
)

CLOUD_RUNS = Declaration(
    name="cloud runs",
    noun="log of cloud runs",
    files=("cloud-runs.jsonl",),
    only_named=True,
    circuits=None,
    log="{phase|fire_type} {selected_cluster|cluster}: {exit_reason|note}",
    logged_at="/timestamp",
    layout="lines",
)

RETRY_AUDIT = Declaration(
    name="retry audit",
    noun="log of retries",
    files=("*_retry_audit.jsonl",),
    only_named=True,
    circuits=None,
    log="{event_type}: {feature_name|batch_id}, {error_message|consecutive_failures}",
    logged_at="/timestamp",
    layout="lines",
)

DOCUMENTS: tuple[Declaration, ...] = (
    SENTINEL,
    RECOVERY,
    SESSION_STATE,
    USER_STATE,
    PREFERENCES,
    COMPLETIONS,
    DRAIN_PENDING,
    MANIFEST,
    PROGRESS,
    ARTIFACT,
    PROMPTS,
    RALPH_SIGNALS,
    RALPH_ANALYSIS,
)
"""Those that are recognised by their content."""

NAMED: tuple[Declaration, ...] = (
    RALPH_PROGRESS,
    PAUSE_CHECKPOINT,
    RALPH_SESSION,
    TEST_STATUS,
    PAUSE_REQUEST,
    HUMAN_INPUT,
    DRAIN_LOG,
    DRAIN_NOTIFICATIONS,
    CLOUD_RUNS,
    RETRY_AUDIT,
)
"""Those that are what their name says, if their content does not speak against it."""
