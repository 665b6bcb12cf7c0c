//! `--format`: Go templates over JSON data, with Docker's functions and messages.
//!
//! Scripts depend on more than the values: on what a missing field says, on `<no value>` and
//! `<nil>`, on the exit code of a wrong template. So the language is built here, after Go's
//! text/template: [`lexer`] → [`parser`] → [`tree`] → [`execute`], with [`functions`] and [`value`]
//! beside.

mod execute;
mod functions;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;
mod tree;
mod value;

use crate::error::{Error, Kind, Result};
use tree::{Command, Expression, Node, Pipe, Term};

pub use functions::json_text;
pub use value::{Nil, Object, Shape, Value};

/// The key under which a row keeps its labels for `.Label`. No template can spell it.
pub const LABELS: &str = " labels";

/// A parsed template.
pub struct Template {
    source: String,
    parsed: parser::Templates,
}

/// In whose words a wrong template is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Words {
    /// Of inspect, info and version.
    Document,
    /// Of lists.
    Row,
}

impl Template {
    /// Parses a template for documents.
    pub fn parse(source: &str) -> Result<Self> {
        Template::build(source, Words::Document)
    }

    /// Parses a template for the rows of a list.
    pub fn parse_row(source: &str) -> Result<Self> {
        Template::build(source, Words::Row)
    }

    fn build(source: &str, words: Words) -> Result<Self> {
        let known = |name: &str| functions::find(name).is_some();
        let parsed = parser::parse(source, &known).map_err(|(line, message)| match words {
            Words::Document => Error::new(
                Kind::Format,
                format!("template parsing error: template: :{line}: {message}"),
            ),
            Words::Row => Error::invalid(format!(
                "failed to parse template: template: :{line}: {message}"
            )),
        })?;
        Ok(Template {
            source: source.to_owned(),
            parsed,
        })
    }

    /// The text for this document, without a newline of its own.
    pub fn render(&self, data: &serde_json::Value) -> Result<String> {
        let mut output = String::new();
        match execute::execute(&self.parsed, &Value::of(data), &mut output) {
            Ok(()) => Ok(output),
            Err(failure) => Err(Error::invalid(format!(
                "template parsing error: {}",
                failure.text(&self.source)
            ))),
        }
    }

    /// The text for a row of a list.
    pub fn render_row(&self, row: &Value) -> Result<String> {
        let mut output = String::new();
        match execute::execute(&self.parsed, row, &mut output) {
            Ok(()) => Ok(output),
            Err(failure) => Err(Error::invalid(format!(
                "failed to execute template: {}",
                failure.text(&self.source)
            ))),
        }
    }

    /// The header for these columns: as far as the template goes, since it was not made for it.
    pub fn render_header(&self, columns: &Value) -> String {
        let mut output = String::new();
        let _ = execute::execute(&self.parsed, columns, &mut output);
        output
    }

    /// Whether it is `{{json .}}` and nothing else.
    pub fn is_whole_as_json(&self) -> bool {
        let inner = self
            .source
            .strip_prefix("{{")
            .and_then(|rest| rest.strip_suffix("}}"));
        inner.is_some_and(|inner| inner.split_whitespace().eq(["json", "."]))
    }

    /// Whether the template asks for this field of the data, anywhere.
    pub fn names(&self, field: &str) -> bool {
        let mut templates = self.parsed.values();
        templates.any(|nodes| nodes.iter().any(|node| node_names(node, field)))
    }
}

fn node_names(node: &Node, field: &str) -> bool {
    let any = |nodes: &[Node]| nodes.iter().any(|node| node_names(node, field));
    match node {
        Node::Text(_) | Node::Break | Node::Continue => false,
        Node::Action(pipe) => pipe_names(pipe, field),
        Node::If(branch) | Node::Range(branch) | Node::With(branch) => {
            pipe_names(&branch.pipe, field)
                || any(&branch.body)
                || branch.otherwise.as_deref().is_some_and(any)
        }
        Node::Template(call) => call
            .pipe
            .as_ref()
            .is_some_and(|pipe| pipe_names(pipe, field)),
    }
}

fn pipe_names(pipe: &Pipe, field: &str) -> bool {
    let names = |command: &Command| {
        let arguments = command.arguments.iter();
        let mut arguments = arguments.map(|argument| expression_names(argument, field));
        arguments.any(|named| named)
    };
    pipe.commands.iter().any(names)
}

fn expression_names(expression: &Expression, field: &str) -> bool {
    match &expression.term {
        Term::Field(names) | Term::Variable(_, names) => {
            names.first().is_some_and(|name| name == field)
        }
        Term::Pipe(pipe) => pipe_names(pipe, field),
        Term::Chain(inner, _) => expression_names(inner, field),
        _ => false,
    }
}
