"""Automations of the Prefect server for runs whose process died: notice it, and start them again.

A run that a worker started and saw die is marked Crashed by that worker, within a second. If the worker's machine died
too, nobody is left to say so: then the run's heartbeats, which no longer come, do.
"""

from datetime import timedelta

from prefect.automations import AutomationCore, EventTrigger, Posture, ResourceSpecification
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState

from infra.deployments.registering import HEARTBEAT_SECONDS, TAG

SILENCE_SECONDS = HEARTBEAT_SECONDS + 20
"""A run that gave no sign of life for so long is dead: noticed within a minute, and one late heartbeat is no death."""

PAUSE_SECONDS = 30
"""Between a crash and the new start. Prefect's worker reports a crash twice, some seconds apart: a run that was started
in between would be marked Crashed by the second report, and then be started twice."""

RESTARTS = 5
"""A run that has crashed more often than this stays Crashed: it would only do so again."""

_HEARTBEAT = "heartbeat"
_ENDED = ("Completed", "Failed", "Cancelled", "Cancelling", "Crashed")
_AT_REST = ("Paused", "Suspended", "Scheduled", "AwaitingRetry")
_UNDER_WAY = ("Pending", "Submitting", "Running", "Rerunning", "Retrying", "Resuming")


def crash_automations() -> tuple[AutomationCore, AutomationCore]:
    """Return the two automations: silent runs are Crashed, and Crashed runs start again."""
    return _notice(), _restart()


def install(automations: tuple[AutomationCore, ...]) -> None:
    """Install `automations` at the server, each in the place of the one of its name; a paused one stays paused."""
    with get_client(sync_client=True) as client:
        for automation in automations:
            existing = client.read_automations_by_name(automation.name)
            if existing:
                client.update_automation(existing[0].id, automation.model_copy(update={"enabled": existing[0].enabled}))
            else:
                client.create_automation(automation)


def _notice() -> AutomationCore:
    message = f"no sign of life for {SILENCE_SECONDS} s: its process is gone"
    return AutomationCore(
        name="swarm: a silent run has crashed",
        description=f"No sign of life for {SILENCE_SECONDS} s: the run's process, worker or machine is gone.",
        trigger=_unless(_HEARTBEAT, (_HEARTBEAT, *_ENDED, *_AT_REST), SILENCE_SECONDS, {}),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message=message)],
    )


def _restart() -> AutomationCore:
    counts = {"prefect.run-count": [str(count) for count in range(1, RESTARTS + 1)]}
    message = "its process died: it goes on where it was"
    return AutomationCore(
        name="swarm: a crashed run goes on",
        description=f"Finished evaluations are not repeated. After {RESTARTS} new starts a run stays Crashed.",
        trigger=_unless("Crashed", (*_ENDED[:-1], *_AT_REST, *_UNDER_WAY), PAUSE_SECONDS, counts),
        actions=[ChangeFlowRunState(state=StateType.SCHEDULED, name="AwaitingRetry", message=message)],
    )


def _unless(after: str, other_events: tuple[str, ...], seconds: int, match: dict[str, list[str]]) -> EventTrigger:
    """Return a trigger for runs of this project: after the event `after`, no one of `other_events` for `seconds`."""
    return EventTrigger(
        after={f"prefect.flow-run.{after}"},
        expect={f"prefect.flow-run.{event}" for event in other_events},
        match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"], **match}),
        match_related=ResourceSpecification(
            {"prefect.resource.id": [f"prefect.tag.{TAG}"], "prefect.resource.role": ["tag"]}
        ),
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=timedelta(seconds=seconds),
    )
