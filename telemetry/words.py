"""The names of attributes and instruments, and how our outcomes are called in them.

Taken from OpenTelemetry's semantic conventions for CI/CD, tests and generative AI, whose names are still being
developed; what they have no name for is `waypost.*`.
"""

from __future__ import annotations

PIPELINE_NAME = "cicd.pipeline.name"
PIPELINE_RUN_ID = "cicd.pipeline.run.id"
PIPELINE_RESULT = "cicd.pipeline.result"
PIPELINE_STATE = "cicd.pipeline.run.state"
TASK_NAME = "cicd.pipeline.task.name"
TASK_RESULT = "cicd.pipeline.task.run.result"
OPERATION = "gen_ai.operation.name"
INVOKE_AGENT = "invoke_agent"
AGENT = "gen_ai.agent.name"
INPUT_TOKENS, OUTPUT_TOKENS = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
EXIT_CODE = "process.exit.code"
CHECK_NAME, CHECK_RESULT = "test.case.name", "test.case.result.status"

STATUS, ROUTE = "waypost.status", "waypost.route"
STEP, ATTEMPT, ADOPTED = "waypost.step.id", "waypost.attempt.number", "waypost.attempt.adopted"
OUTCOME = "waypost.outcome"
TURNS, COST = "waypost.attempt.turns", "waypost.attempt.cost_usd"

WAYPOST = "waypost"
RESULT_OF_STATUS = {"DONE": "success", "FAILED": "failure", "BLOCKED": "failure", "DRAINING": "cancellation"}
RESULT_OF_ATTEMPT = {
    "finished": "success",
    "reported_failure": "failure",
    "no_result": "failure",
    "too_much_output": "failure",
    "timed_out": "timeout",
    "lost": "cancellation",
    "running": "cancellation",
    "not_started": "error",
}
RESULT_OF_CHECK = {"PASSED": "pass", "FAILED": "fail"}
