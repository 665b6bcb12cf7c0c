//! `hull doctor`: what this machine lacks for containers, and the command that mends it.
//!
//! [`facts`] looks at the machine and judges nothing; [`checks`] judges and looks at nothing.

mod checks;
mod facts;

use serde_json::{Value, json};

use crate::cli::flags::{Matches, text};
use crate::cli::{Command, output};
use crate::config::Settings;
use crate::error::{Error, Result};

use checks::{Finding, Health};

pub const COMMAND: Command = Command {
    paths: &["doctor", "system doctor"],
    about: "Check what this machine needs to run containers, and how to mend it",
    arguments: |command| command.arg(text("format", "string", "Format output: 'table' or 'json'")),
    run,
    ..Command::BASE
};

fn run(matches: &Matches, settings: &Settings) -> Result<u8> {
    let findings = checks::all(&facts::gather(settings));
    let is_well = findings
        .iter()
        .all(|finding| finding.health != Health::Problem);
    match matches.text("format") {
        None | Some("table") => output::line(text_of(&findings))?,
        Some("json") => {
            let findings: Vec<Value> = findings.iter().map(json_of).collect();
            let document = json!({"healthy": is_well, "findings": findings});
            output::document(None, &document)?;
        }
        Some(other) => {
            return Err(
                Error::invalid(format!("invalid format {other:?}")).hint("one of table, json")
            );
        }
    }
    Ok(u8::from(!is_well))
}

fn text_of(findings: &[Finding]) -> String {
    let mut lines = Vec::new();
    for finding in findings {
        let health = finding.health.word();
        lines.push(format!(
            "{health:<8} {:<17} {}",
            finding.check, finding.text
        ));
        let fixes = finding.fixes.iter();
        lines.extend(fixes.map(|fix| format!("{:<26} {fix}", "")));
    }
    lines.join("\n")
}

fn json_of(finding: &Finding) -> Value {
    json!({
        "check": finding.check,
        "status": finding.health.word(),
        "text": finding.text,
        "fix": finding.fixes,
    })
}
