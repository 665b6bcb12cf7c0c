//! The parsed template, and its parts as Go's messages quote them.

use std::fmt;

/// What a template does, in order.
#[derive(Debug)]
pub enum Node {
    Text(String),
    Action(Pipe),
    If(Branch),
    Range(Branch),
    With(Branch),
    Template(Call),
    Break,
    Continue,
}

/// `if`, `range` or `with`.
#[derive(Debug)]
pub struct Branch {
    pub pipe: Pipe,
    pub body: Vec<Node>,
    pub otherwise: Option<Vec<Node>>,
}

/// `{{template "name" pipe}}`.
#[derive(Debug)]
pub struct Call {
    pub at: usize,
    pub name: String,
    pub pipe: Option<Pipe>,
}

/// Commands whose results are handed on; variables that get the last one.
#[derive(Debug)]
pub struct Pipe {
    pub variables: Vec<String>,
    /// `=` instead of `:=`.
    pub assigns: bool,
    pub commands: Vec<Command>,
}

/// A value, or a function with its arguments.
#[derive(Debug)]
pub struct Command {
    pub at: usize,
    pub arguments: Vec<Expression>,
}

/// A term with its place in the source.
#[derive(Debug)]
pub struct Expression {
    pub at: usize,
    pub term: Term,
}

#[derive(Debug)]
pub enum Term {
    Dot,
    Nil,
    Bool(bool),
    /// As written.
    Number(String),
    /// As written, and what it means.
    Text(String, String),
    Function(String),
    Field(Vec<String>),
    Variable(String, Vec<String>),
    Pipe(Box<Pipe>),
    /// Fields of something in parentheses.
    Chain(Box<Expression>, Vec<String>),
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = |fields: &[String]| fields.iter().map(|field| format!(".{field}")).collect();
        let fields: &dyn Fn(&[String]) -> String = &fields;
        match &self.term {
            Term::Dot => f.write_str("."),
            Term::Nil => f.write_str("nil"),
            Term::Bool(flag) => write!(f, "{flag}"),
            Term::Number(text) | Term::Text(text, _) | Term::Function(text) => f.write_str(text),
            Term::Field(names) => f.write_str(&fields(names)),
            Term::Variable(name, names) => write!(f, "{name}{}", fields(names)),
            Term::Pipe(pipe) => write!(f, "({pipe})"),
            Term::Chain(inner, names) => write!(f, "{inner}{}", fields(names)),
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<String> = self.arguments.iter().map(ToString::to_string).collect();
        f.write_str(&arguments.join(" "))
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            let sign = if self.assigns { "=" } else { ":=" };
            write!(f, "{} {sign} ", self.variables.join(", "))?;
        }
        let commands: Vec<String> = self.commands.iter().map(ToString::to_string).collect();
        f.write_str(&commands.join(" | "))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pipe = self.pipe.as_ref();
        let pipe = pipe.map(|pipe| format!(" {pipe}")).unwrap_or_default();
        write!(f, "{{{{template {:?}{pipe}}}}}", self.name)
    }
}
