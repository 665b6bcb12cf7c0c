//! `hull system boot`.

use crate::cli::flags::{Matches, text};
use crate::cli::{Command, Words, output};
use crate::config::Settings;
use crate::container::{self, Foreground};
use crate::error::{Error, Kind, Result, Scope};
use crate::systemd::boot::{Place, UNIT};

pub const COMMAND: Command = Command {
    paths: &["system boot"],
    about: "Start containers when the machine starts: enable, disable, status, start",
    usage: "[OPTIONS] enable|disable|status|start",
    words: Words::Exactly(1),
    arguments: |command| {
        command.arg(text(
            "directory",
            "string",
            "Directory of units (default: the system's, without root the user's)",
        ))
    },
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let directory = matches.text("directory").map(std::path::Path::new);
    let place = || Place::of(settings, directory);
    match matches.words()[0] {
        "enable" => {
            let unit = place()?.enable(settings)?;
            output::line(unit.display())?;
            if settings.rootless {
                output::note(
                    "without a login nothing of a user runs, unless: loginctl enable-linger",
                );
            }
            Ok(0)
        }
        "disable" => place()?.disable().map(|()| 0),
        "status" => {
            let enabled = place()?.is_enabled();
            output::line(if enabled { "enabled" } else { "disabled" })?;
            Ok(u8::from(!enabled))
        }
        "start" => start(settings),
        other => Err(
            Error::invalid(format!("hull system boot: unknown action {other:?}"))
                .hint("one of enable, disable, status, start"),
        ),
    }
}

/// Starts, oldest first, what the restart policies want running. One that cannot be started does
/// not keep the others down.
fn start(settings: &Settings) -> Result<u8> {
    let records = container::records(settings);
    let (mut found, broken) = records.list()?;
    let mut code = 0;
    for error in broken {
        code = output::error(Scope::Other, &error);
    }
    found.reverse();
    for record in found {
        let state = &record.state;
        let Ok(config) = records.config(&state.id) else {
            continue;
        };
        let wanted = config
            .restart
            .starts_at_boot(state.stopped_by_user, state.exit_code);
        if !wanted || record.live.is_some() || state.started.is_none() {
            continue;
        }
        match container::start(settings, &state.id, Foreground::Detached) {
            Ok(_) => output::line(&state.name)?,
            // Somebody else has just removed or started it.
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Conflict) => {}
            Err(error) => code = output::error(Scope::Other, &error),
        }
    }
    Ok(code)
}

/// Tells whether a container with this restart policy comes back after a reboot.
pub fn tell(settings: &Settings) {
    let enabled = Place::of(settings, None).is_ok_and(|place| place.is_enabled());
    output::note(match enabled {
        true => format!("the container will start at boot ({UNIT} is enabled)"),
        false => {
            "the container will not start at boot; to have it: hull system boot enable".to_owned()
        }
    });
}
