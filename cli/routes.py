"""What each route of the transition table means, for who does not know the table."""

from __future__ import annotations

from ..state.status import Route

MEANINGS: dict[Route, str] = {
    Route.EXTRACTED: "The task file was read and says what is asked for; the plan is made next",
    Route.UNREADABLE: "The task file cannot be read as a task, so there is nothing that could be run",
    Route.FROZEN: "The plan stands: what is done in which order, and which command proves what",
    Route.CONTRADICTORY: "What is asked for contradicts itself, so no order of the steps can satisfy it",
    Route.MEASURED: (
        "The checks have run on the untouched tree, or it is recorded why they did not; workers are started next, and "
        "whatever passed here already proves nothing by passing later"
    ),
    Route.GREEN_BEFORE: (
        "A check that the card demands to fail before the work did not fail, so its passing later would prove nothing: "
        "give the run up, mend the card, and start a new run"
    ),
    Route.NOT_MEASURED: (
        "The run was stopped before its checks had run on the untouched tree; it was resumed, and they run there first"
    ),
    Route.DISPATCHED: "Workers were handed their steps; verification comes next",
    Route.CHECKED: "The commands of the verification have run; what follows is decided by their verdicts alone",
    Route.ACCEPTED_NEXT: "Everything that was worked on has passed, and the next steps can begin",
    Route.REWORK: "A check failed, so the step goes back to a worker with the output that shows why",
    Route.RETRY: "A worker was lost without a result, so its step is started again",
    Route.ACCEPTED_ALL: "Every step and every criterion passed in one round over the final files",
    Route.EXHAUSTED: "A step still fails although it had all the reworks that it may have",
    Route.LOST: "Workers were lost without a result, again and again",
    Route.NOT_STARTED: (
        "A worker could not be started, and trying again would not change that: see to it that it can "
        "(`waypost doctor` says what is missing), then recover the run"
    ),
    Route.UNVERIFIABLE: "Something that was asked for has no check that could run here, and no check means not passed",
    Route.OVER_BUDGET: "A limit leaves no room for what would have to follow",
    Route.INTEGRATE: "All that is verified so far is brought together on the branch of the run",
    Route.MERGED: "Results of steps were merged, and what they make together is verified again",
    Route.CONFLICT: "Git cannot merge what steps have left by itself",
    Route.DELIVERED: "The result of the run was brought to where it was to go",
    Route.NOT_DELIVERED: "All is verified, but the result could not be brought to your branch",
    Route.DRAIN: "A stop signal came, and the run stopped at its next checkpoint",
    Route.ADOPTED: "The run was resumed, and looks for the workers that were left",
    Route.NOT_ADOPTED: "The run was resumed, but what it left behind cannot be gone on with by itself",
    Route.APPROVAL_NEEDED: "The card asks for a person's approval at this point",
    Route.APPROVE_START: "A person agreed that the step is started",
    Route.APPROVE_RESULT: "A person agreed to the result",
    Route.REJECT_START: "A person refused to let the step be started",
    Route.REJECT_RESULT: "A person refused the result, which goes back with the reason",
    Route.ASK_AGAIN: "A person has answered, and the answer leads to another question",
    Route.RECOVER: "A person decided that workers try again, with fresh reworks and budgets",
    Route.RECHECK: "A person has mended the cause, and everything is verified again",
    Route.GIVE_UP: "A person decided to end the run",
}
