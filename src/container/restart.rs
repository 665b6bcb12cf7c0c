//! A container that ended is started again: the pause before, and the start in the same monitor.

use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

use super::Foreground;
use super::keep::{Handover, hand_over};
use super::start::{Post, StartedBy, note_start, raise};
use crate::base::{ContainerId, Timestamp};
use crate::config::{Overrides, Settings};
use crate::error::{Error, Result, Scope};
use crate::monitor::{answer_ended, until};
use crate::state::{Event, Records, RestartPolicy, RunDirectory};

/// Docker's pauses: each twice the last, from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A container that ran this long is well: the next pause is the first again.
const STEADY: Duration = Duration::from_secs(10);

/// The pause after a container ran for `ran`; `last` was the one before.
pub(super) fn next_pause(last: Duration, ran: Duration) -> Duration {
    if last.is_zero() || ran >= STEADY {
        return FIRST_PAUSE;
    }
    (last * 2).min(LONGEST_PAUSE)
}

/// What is known of a container that is started again.
#[derive(Debug)]
pub(super) struct Again {
    /// How long to wait before.
    pub pause: Duration,
    /// How it ended.
    pub exit_code: u8,
    /// The service manager that waits for word.
    pub notify: Option<String>,
}

/// Waits out the pause and starts the container; then the monitor goes on with it and this does
/// not return. Returns if a user wants the container stopped, with everything given back.
pub(super) fn start_again(
    records: &Records,
    id: &ContainerId,
    post: Post,
    again: Again,
) -> Result<()> {
    let Again {
        mut pause,
        mut exit_code,
        notify,
    } = again;
    let run = records.run_directory(id);
    loop {
        if let Some(by_user) = stopped_meanwhile(&post, &run, pause, exit_code) {
            return leave(records, id, by_user);
        }
        // Anew each time: an update, or another configuration of the host, counts.
        let config = records.config(id)?;
        let settings = Settings::load(&Overrides {
            root: Some(records.root().to_owned()),
            run: Some(records.run().to_owned()),
            log_level: None,
        })?;
        let error = match raise(
            &settings,
            records,
            &config,
            Foreground::Detached,
            notify.as_deref(),
        ) {
            Ok(risen) => {
                super::notice(records, id, "start", &[]);
                note_start(records, &risen.live_state, StartedBy::RestartPolicy);
                let handover = Handover {
                    config,
                    post,
                    risen,
                    first_client: None,
                    pause,
                    notify,
                };
                hand_over(&settings, handover)
            }
            Err(error) => error,
        };
        exit_code = error.exit_code(Scope::Run);
        if !note_failure(records, id, &error, config.restart)? {
            return leave(records, id, false);
        }
        pause = next_pause(pause, Duration::ZERO);
    }
}

/// A start that failed counts like one whose program failed; whether there is another.
fn note_failure(
    records: &Records,
    id: &ContainerId,
    error: &Error,
    policy: RestartPolicy,
) -> Result<bool> {
    // What the failed start left goes before the next.
    super::end_cgroup(records, id)?;
    let mut again = false;
    records.apply(id, Event::Died, |state| {
        state.exit_code = error.exit_code(Scope::Run);
        state.error = error.to_string();
        state.finished = Some(Timestamp::now());
        again = policy.restarts(state.exit_code, state.restart_count);
        state.restart_count += u32::from(again);
    })?;
    Ok(again)
}

/// Waits for the end of the pause (`None`), or for the wish to stop: a user's, or a signal to the
/// monitor itself. Clients that come meanwhile hear how the container ended.
fn stopped_meanwhile(
    post: &Post,
    run: &RunDirectory,
    pause: Duration,
    exit_code: u8,
) -> Option<bool> {
    let end = Instant::now() + pause;
    loop {
        if run.stop_is_requested() {
            return Some(true);
        }
        if Instant::now() >= end {
            return None;
        }
        let watched: [&OwnedFd; 2] = [&post.listener, &post.signals];
        let mut polled = watched.map(|fd| PollFd::new(fd, PollFlags::IN));
        // Interrupted or not: everything is looked at again.
        let _ = poll(&mut polled, Some(&until(end)));
        answer_ended(post.listener.as_fd(), exit_code);
        if crate::sys::signal::read(post.signals.as_fd()).is_some() {
            return Some(false);
        }
    }
}

/// The container stays ended, as its record says.
fn leave(records: &Records, id: &ContainerId, by_user: bool) -> Result<()> {
    records.apply(id, Event::Died, |state| state.stopped_by_user = by_user)?;
    records.keep_health(id)?;
    records.run_directory(id).remove()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_a_minute_and_start_over_after_a_good_run() {
        let short = Duration::from_secs(1);
        let mut pause = Duration::ZERO;
        let mut pauses = Vec::new();
        for _ in 0..12 {
            pause = next_pause(pause, short);
            pauses.push(pause.as_millis());
        }
        assert_eq!(pauses[..4], [100, 200, 400, 800]);
        assert_eq!(pauses[9..], [51_200, 60_000, 60_000]);
        assert_eq!(next_pause(pause, STEADY), FIRST_PAUSE);
    }
}
