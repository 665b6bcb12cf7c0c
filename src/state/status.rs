//! The state machine of a container: one table.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a container stands, in Docker's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Made, never started.
    Created,
    Running,
    Paused,
    /// Ended, and about to be started again by its monitor. Never stored: it follows from
    /// `run.json`.
    Restarting,
    /// Docker's `removing` has no place here: a removal is one rename.
    Exited,
}

/// What can happen to a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Started,
    /// The first process ended, or could not be started at all.
    Died,
    Paused,
    Resumed,
}

/// What `status` becomes on `event`; `None` if that cannot happen.
pub fn next(status: Status, event: Event) -> Option<Status> {
    match (status, event) {
        (Status::Created | Status::Exited, Event::Started) => Some(Status::Running),
        (Status::Running | Status::Paused, Event::Died) => Some(Status::Exited),
        // A start that failed before its program ran leaves the container as it was, with the
        // reason: Docker shows `Created`.
        (Status::Created, Event::Died) => Some(Status::Created),
        (Status::Exited, Event::Died) => Some(Status::Exited),
        (Status::Running, Event::Paused) => Some(Status::Paused),
        (Status::Paused, Event::Resumed) => Some(Status::Running),
        _ => None,
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Created => "created",
            Status::Running => "running",
            Status::Paused => "paused",
            Status::Restarting => "restarting",
            Status::Exited => "exited",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_transitions_of_the_table_happen() {
        use Event::*;
        let statuses = [
            Status::Created,
            Status::Running,
            Status::Paused,
            Status::Exited,
        ];
        let allowed: Vec<(Status, Event)> = statuses
            .into_iter()
            .flat_map(|s| [Started, Died, Paused, Resumed].map(|e| (s, e)))
            .filter(|(s, e)| next(*s, *e).is_some())
            .collect();
        assert_eq!(allowed.len(), 8, "{allowed:?}");
        assert_eq!(next(Status::Running, Started), None, "not started twice");
        assert_eq!(next(Status::Paused, Paused), None, "not frozen twice");
    }
}
