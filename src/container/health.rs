//! Health checks and the longest time to run: what a monitor does beside the streams.
//!
//! A probe is one exec into the container, in a child of the monitor whose output comes through a
//! pipe. What follows from its result is decided by [`Course`], which is pure.

use std::cell::Cell;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::pipe::PipeFlags;
use rustix::process::Signal;

use super::exec::{ExecRequest, exec, probe};
use crate::base::{ContainerId, Timestamp};
use crate::config::Settings;
use crate::error::{Context as _, Error, Result, Scope};
use crate::monitor::Chore;
use crate::runtime::process::wait_code;
use crate::state::{Health, HealthCheck, HealthStatus, OnFailure, Probe, Records};
use crate::sys::process::{Fork, exit_now, fork};

/// Probes kept, and bytes of output of each, as Docker.
const PROBES_KEPT: usize = 5;
const MOST_OUTPUT: usize = 4096;

/// Kills a container that runs too long.
#[derive(Debug)]
pub(super) struct TimeLimit {
    container: OwnedFd,
    end: Option<Instant>,
}

impl TimeLimit {
    pub(super) fn new(container: OwnedFd, seconds: u32) -> Self {
        let end = Instant::now().checked_add(Duration::from_secs(seconds.into()));
        TimeLimit { container, end }
    }
}

impl Chore for TimeLimit {
    fn due(&self) -> Option<Instant> {
        self.end
    }

    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }

    fn turn(&mut self) {
        if self.end.is_some_and(|end| end <= Instant::now()) {
            self.end = None;
            // It may have ended by itself just now.
            let _ = rustix::process::pidfd_send_signal(&self.container, Signal::KILL);
        }
    }
}

/// What the results of probes mean.
#[derive(Debug)]
struct Course {
    check: HealthCheck,
    health: Health,
    start: Instant,
    /// It has been healthy, or its start period is over.
    started: bool,
}

impl Course {
    fn new(check: HealthCheck, start: Instant) -> Self {
        let started = check.start_period == 0;
        Course {
            check,
            health: Health::starting(),
            start,
            started,
        }
    }

    fn is_starting(&self, now: Instant) -> bool {
        let period = Duration::from_nanos(self.check.start_period);
        !self.started && now.saturating_duration_since(self.start) < period
    }

    /// From the end of one probe to the start of the next.
    fn pause(&self, now: Instant) -> Duration {
        Duration::from_nanos(match self.is_starting(now) {
            true => self.check.start_interval,
            false => self.check.interval,
        })
    }

    /// Takes a result; the new status if it has changed.
    fn take(&mut self, probe: Probe, now: Instant) -> Option<HealthStatus> {
        let before = self.health.status;
        if probe.exit_code == 0 {
            self.started = true;
            self.health.failing_streak = 0;
            self.health.status = HealthStatus::Healthy;
        } else if !self.is_starting(now) {
            self.health.failing_streak += 1;
            if self.health.failing_streak >= self.check.retries {
                self.health.status = HealthStatus::Unhealthy;
            }
        }
        self.health.log.push(probe);
        if self.health.log.len() > PROBES_KEPT {
            self.health.log.remove(0);
        }
        (self.health.status != before).then_some(self.health.status)
    }
}

/// The container whose health is looked after.
#[derive(Debug)]
pub(super) struct Patient {
    pub records: Records,
    pub id: ContainerId,
    pub container: OwnedFd,
    pub stop_signal: i32,
    /// Told to the monitor when an unhealthy container is to be restarted.
    pub wants_restart: Rc<Cell<bool>>,
    /// The service manager that waits for it to be healthy.
    pub waiting: Option<String>,
}

/// A probe under way.
#[derive(Debug)]
struct Probing {
    process: OwnedFd,
    output: OwnedFd,
    /// Nobody has the other side open any more.
    closed: bool,
    printed: Vec<u8>,
    start: Timestamp,
    end: Instant,
}

/// The health checks of one run of a container.
#[derive(Debug)]
pub(super) struct HealthChecks {
    patient: Patient,
    course: Course,
    next: Instant,
    probing: Option<Probing>,
    /// When a container that was told to stop is killed.
    kill_at: Option<Instant>,
}

impl HealthChecks {
    pub(super) fn new(check: HealthCheck, patient: Patient) -> Self {
        let now = Instant::now();
        let course = Course::new(check, now);
        let checks = HealthChecks {
            next: now + course.pause(now),
            patient,
            course,
            probing: None,
            kill_at: None,
        };
        checks.publish();
        checks
    }

    fn publish(&self) {
        let run = self.patient.records.run_directory(&self.patient.id);
        if let Err(error) = run.write_health(&self.course.health) {
            log::warn!("{error}");
        }
    }

    /// Takes what a probe printed and, when it has ended or its time is over, its result.
    fn attend(&mut self, mut probing: Probing, now: Instant) {
        probing.read();
        let ended = rustix::event::poll(
            &mut [rustix::event::PollFd::new(
                &probing.process,
                rustix::event::PollFlags::IN,
            )],
            Some(&rustix::event::Timespec::default()),
        )
        .is_ok_and(|count| count > 0);
        if !ended && now < probing.end {
            self.probing = Some(probing);
            return;
        }
        let mut exit_code = -1;
        if !ended {
            // Its program in the container dies with it.
            let _ = rustix::process::pidfd_send_signal(&probing.process, Signal::KILL);
        }
        let code = wait_code(probing.process.as_fd());
        probing.read();
        let output = match ended {
            true => {
                exit_code = code.map_or(-1, i32::from);
                String::from_utf8_lossy(&probing.printed).into_owned()
            }
            false => {
                let seconds = Duration::from_nanos(self.course.check.timeout).as_secs_f64();
                format!("Health check exceeded timeout ({seconds}s)")
            }
        };
        let probe = Probe {
            start: probing.start,
            end: Timestamp::now(),
            exit_code,
            output,
        };
        self.take(probe, now);
    }

    fn take(&mut self, probe: Probe, now: Instant) {
        let changed = self.course.take(probe, now);
        self.publish();
        self.next = now + self.course.pause(now);
        let Some(status) = changed else { return };
        let action = format!("health_status: {}", status.word());
        super::notice(&self.patient.records, &self.patient.id, &action, &[]);
        if status == HealthStatus::Healthy
            && let Some(to) = self.patient.waiting.take()
        {
            super::notify::tell_ready(&to);
        }
        if status == HealthStatus::Unhealthy {
            self.act(now);
        }
    }

    fn act(&mut self, now: Instant) {
        let container = &self.patient.container;
        match self.course.check.on_failure {
            OnFailure::None => {}
            OnFailure::Kill => drop(rustix::process::pidfd_send_signal(container, Signal::KILL)),
            OnFailure::Restart => {
                self.patient.wants_restart.set(true);
                let _ = crate::sys::signal::send(container.as_fd(), self.patient.stop_signal);
                self.kill_at = Some(now + Duration::from_secs(10));
            }
            OnFailure::Stop => {
                let run = self.patient.records.run_directory(&self.patient.id);
                if let Err(error) = run.request_stop() {
                    log::warn!("{error}");
                }
                let _ = crate::sys::signal::send(container.as_fd(), self.patient.stop_signal);
                self.kill_at = Some(now + Duration::from_secs(10));
            }
        }
    }

    fn start_probe(&mut self, now: Instant) {
        let started = start_probe(&self.patient, &self.course.check);
        match started {
            Ok((process, output)) => {
                self.probing = Some(Probing {
                    process,
                    output,
                    closed: false,
                    printed: Vec::new(),
                    start: Timestamp::now(),
                    end: now + Duration::from_nanos(self.course.check.timeout),
                });
            }
            Err(error) => {
                let at = Timestamp::now();
                let probe = Probe {
                    start: at,
                    end: at,
                    exit_code: -1,
                    output: error.to_string(),
                };
                self.take(probe, now);
            }
        }
    }
}

impl Chore for HealthChecks {
    fn due(&self) -> Option<Instant> {
        let next = match &self.probing {
            Some(probing) => probing.end,
            None => self.next,
        };
        Some(self.kill_at.map_or(next, |kill_at| kill_at.min(next)))
    }

    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        let Some(probing) = &self.probing else {
            return Vec::new();
        };
        let output = (!probing.closed).then(|| probing.output.as_fd());
        output
            .into_iter()
            .chain([probing.process.as_fd()])
            .collect()
    }

    fn turn(&mut self) {
        let now = Instant::now();
        if self.kill_at.is_some_and(|kill_at| kill_at <= now) {
            self.kill_at = None;
            let _ = rustix::process::pidfd_send_signal(&self.patient.container, Signal::KILL);
        }
        match self.probing.take() {
            Some(probing) => self.attend(probing, now),
            None if self.next <= now => self.start_probe(now),
            None => {}
        }
    }
}

impl Probing {
    fn read(&mut self) {
        let mut buffer = [0; MOST_OUTPUT];
        loop {
            match rustix::io::read(&self.output, &mut buffer) {
                Ok(0) => self.closed = true,
                Ok(count) => {
                    let room = MOST_OUTPUT - self.printed.len();
                    self.printed.extend(&buffer[..count.min(room)]);
                    continue;
                }
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => {}
            }
            return;
        }
    }
}

/// Forks the child that runs the check in the container: its pidfd and what it prints.
fn start_probe(patient: &Patient, check: &HealthCheck) -> Result<(OwnedFd, OwnedFd)> {
    let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).context(|| "make a pipe")?;
    rustix::fs::fcntl_setfl(&read, OFlags::NONBLOCK).context(|| "prepare a pipe")?;
    match fork().context(|| "fork a health check")? {
        Fork::Child => {
            drop(read);
            let code = probe(&patient.records, &patient.id, words(check), &write);
            exit_now(code.unwrap_or_else(|error| {
                // Whoever reads the health log wants to know why.
                let _ = rustix::io::write(&write, error.to_string().as_bytes());
                error.exit_code(Scope::Run)
            }))
        }
        Fork::Parent { pidfd, .. } => Ok((pidfd, read)),
    }
}

/// Runs the container's health check once; whether it is healthy by it. The monitor's own record
/// stays as it is.
///
/// # Errors
/// `Invalid` if it has none; as `exec` if it does not run.
pub fn check_health(settings: &Settings, id: &ContainerId, name: &str) -> Result<bool> {
    let config = super::records(settings).config(id)?;
    let check = config.health.ok_or_else(|| {
        Error::invalid(format!("container {name} has no health check"))
            .hint("give one with --health-cmd when it is made")
    })?;
    let request = ExecRequest {
        words: words(&check),
        ..ExecRequest::default()
    };
    Ok(exec(settings, id, name, &request)? == 0)
}

/// The words to run for a check.
fn words(check: &HealthCheck) -> Vec<String> {
    let shell = ["/bin/sh", "-c"].map(str::to_owned);
    match check.test.split_first() {
        Some((kind, line)) if kind == "CMD-SHELL" => {
            shell.into_iter().chain([line.join(" ")]).collect()
        }
        Some((_, words)) => words.to_vec(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(start_period: u64) -> HealthCheck {
        HealthCheck {
            test: vec!["CMD".to_owned(), "x".to_owned()],
            interval: 30_000_000_000,
            timeout: 1,
            start_period,
            start_interval: 5_000_000_000,
            retries: 2,
            on_failure: OnFailure::None,
        }
    }

    fn result(exit_code: i32) -> Probe {
        let at = Timestamp::from_unix(0, 0);
        Probe {
            start: at,
            end: at,
            exit_code,
            output: String::new(),
        }
    }

    #[test]
    fn failures_in_a_row_make_it_unhealthy_and_one_success_healthy() {
        let start = Instant::now();
        let mut course = Course::new(check(0), start);
        assert_eq!(course.pause(start).as_secs(), 30);
        assert_eq!(course.take(result(1), start), None);
        assert_eq!(course.take(result(0), start), Some(HealthStatus::Healthy));
        assert_eq!(course.take(result(1), start), None);
        assert_eq!(
            course.take(result(-1), start),
            Some(HealthStatus::Unhealthy)
        );
        assert_eq!(course.health.failing_streak, 2);
        for _ in 0..9 {
            course.take(result(0), start);
        }
        assert_eq!(course.health.log.len(), PROBES_KEPT);
    }

    #[test]
    fn failures_in_the_start_period_do_not_count_until_the_first_success() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut course = Course::new(check(60_000_000_000), start);
        assert_eq!(course.pause(start).as_secs(), 5);
        for number in 1..5 {
            assert_eq!(course.take(result(1), start + second * number), None);
        }
        assert_eq!(course.health.failing_streak, 0);
        course.take(result(0), start + second * 6);
        assert_eq!(course.pause(start + second * 6).as_secs(), 30);
        course.take(result(1), start + second * 7);
        assert_eq!(course.health.failing_streak, 1, "started is started");
    }
}
