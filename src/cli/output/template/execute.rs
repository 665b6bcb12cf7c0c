//! Runs a parsed template over a value, with the rules and messages of Go's text/template.

use std::fmt::Write as _;

use super::functions::{self, Type};
use super::parser::Templates;
use super::tree::{Branch, Call, Command, Expression, Node, Pipe, Term};
use super::value::{Nil, Object, Shape, Value, parse_number};

/// How deep templates may call one another and themselves: a bound for the stack, which a template
/// that calls itself would use up.
const DEEPEST: usize = 500;

/// What a failed execution says: where, in Go's form, and what.
#[derive(Debug)]
pub struct Failure {
    /// Byte offset in the source.
    at: usize,
    /// The template by name.
    template: String,
    /// The part of the source that was being worked on.
    part: String,
    message: String,
}

impl Failure {
    /// `template: :1:2: executing "" at <.Nope>: …`.
    pub fn text(&self, source: &str) -> String {
        let before = source.get(..self.at).unwrap_or(source);
        let line = before.matches('\n').count() + 1;
        let column = before
            .rfind('\n')
            .map_or(self.at, |newline| self.at - newline - 1);
        let Failure {
            template,
            part,
            message,
            ..
        } = self;
        format!("template: :{line}:{column}: executing {template:?} at <{part}>: {message}")
    }
}

enum Stop {
    Failure(Box<Failure>),
    Break,
    Continue,
}

type Run<T> = Result<T, Stop>;

/// Appends the text to `output`; what a failing template had printed stays there.
pub fn execute(templates: &Templates, data: &Value, output: &mut String) -> Result<(), Failure> {
    let mut run = Execution {
        templates,
        output,
        variables: vec![("$".to_owned(), data.clone())],
        name: String::new(),
        depth: 0,
    };
    let nodes = templates.get("").map_or(&[][..], Vec::as_slice);
    match run.nodes(nodes, data) {
        Err(Stop::Failure(failure)) => Err(*failure),
        // The parser lets neither out of its loop.
        Ok(()) | Err(Stop::Break | Stop::Continue) => Ok(()),
    }
}

struct Execution<'a> {
    templates: &'a Templates,
    output: &'a mut String,
    variables: Vec<(String, Value)>,
    /// The template being run.
    name: String,
    depth: usize,
}

impl Execution<'_> {
    fn fail<T>(&self, at: usize, part: impl ToString, message: impl Into<String>) -> Run<T> {
        Err(Stop::Failure(Box::new(Failure {
            at,
            template: self.name.clone(),
            part: part.to_string(),
            message: message.into(),
        })))
    }

    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Run<()> {
        nodes.iter().try_for_each(|node| self.node(node, dot))
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Run<()> {
        match node {
            Node::Text(text) => self.output.push_str(text),
            Node::Action(pipe) => {
                let value = self.pipe(pipe, dot)?;
                if pipe.variables.is_empty() {
                    // Writing to a String cannot fail.
                    let _ = write!(self.output, "{value}");
                }
            }
            Node::If(branch) => self.choice(branch, dot, false)?,
            Node::With(branch) => self.choice(branch, dot, true)?,
            Node::Range(branch) => self.range(branch, dot)?,
            Node::Template(call) => self.call(call, dot)?,
            Node::Break => return Err(Stop::Break),
            Node::Continue => return Err(Stop::Continue),
        }
        Ok(())
    }

    fn choice(&mut self, branch: &Branch, dot: &Value, moves_dot: bool) -> Run<()> {
        let known = self.variables.len();
        let value = self.pipe(&branch.pipe, dot)?;
        if value.is_true() {
            let dot = if moves_dot { &value } else { dot };
            self.nodes(&branch.body, dot)?;
        } else if let Some(otherwise) = &branch.otherwise {
            self.nodes(otherwise, dot)?;
        }
        self.variables.truncate(known);
        Ok(())
    }

    fn range(&mut self, branch: &Branch, dot: &Value) -> Run<()> {
        let known = self.variables.len();
        let value = self.pipe(&branch.pipe, dot)?;
        let pairs: Box<dyn Iterator<Item = (Value, Value)>> = match &value {
            Value::List(items) => {
                let items = items.iter().cloned().enumerate();
                Box::new(items.map(|(at, item)| (Value::Number(at as i128), item)))
            }
            // Docker's `inspect` takes a template over a structure again, over the JSON's map.
            Value::Object(object) => {
                let mut entries: Vec<_> = object.entries.iter().collect();
                entries.sort_by(|one, other| one.0.cmp(&other.0));
                let entries = entries.into_iter();
                Box::new(entries.map(|(name, item)| (Value::text(name), item.clone())))
            }
            Value::Number(count) => {
                let numbers = (0..*count).map(Value::Number);
                Box::new(numbers.map(|number| (number.clone(), number)))
            }
            Value::Missing | Value::Nil(_) => Box::new(std::iter::empty()),
            other => {
                let last = branch.pipe.commands.last();
                let last = last.and_then(|command| command.arguments.first());
                let (at, part) = last.map_or((0, String::new()), |e| (e.at, e.to_string()));
                return self.fail(at, part, format!("range can't iterate over {other}"));
            }
        };
        let mut any = false;
        for (key, item) in pairs {
            any = true;
            self.bind(&branch.pipe, known, key, &item);
            let ended = self.nodes(&branch.body, &item);
            self.variables.truncate(known + branch.pipe.variables.len());
            match ended {
                Err(Stop::Break) => break,
                Ok(()) | Err(Stop::Continue) => {}
                failure => return failure,
            }
        }
        self.variables.truncate(known);
        match &branch.otherwise {
            Some(otherwise) if !any => self.nodes(otherwise, dot),
            _ => Ok(()),
        }
    }

    /// Gives the variables of a range their values: the item, or the key and the item.
    fn bind(&mut self, pipe: &Pipe, known: usize, key: Value, item: &Value) {
        let values = match pipe.variables.len() {
            2 => vec![key, item.clone()],
            _ => vec![item.clone()],
        };
        for (name, value) in pipe.variables.iter().zip(values) {
            match pipe.assigns {
                true => self.assign(name, value),
                false => match self.variables[known..].iter_mut().find(|v| v.0 == *name) {
                    Some(variable) => variable.1 = value,
                    None => self.variables.push((name.clone(), value)),
                },
            }
        }
    }

    fn assign(&mut self, name: &str, value: Value) {
        let found = self
            .variables
            .iter_mut()
            .rev()
            .find(|known| known.0 == name);
        if let Some(variable) = found {
            variable.1 = value;
        }
    }

    fn call(&mut self, call: &Call, dot: &Value) -> Run<()> {
        let Some(nodes) = self.templates.get(&call.name) else {
            let message = format!("template {:?} not defined", call.name);
            return self.fail(call.at, call, message);
        };
        if self.depth >= DEEPEST {
            let message = format!("exceeded maximum template depth ({DEEPEST})");
            return self.fail(call.at, call, message);
        }
        let dot = match &call.pipe {
            Some(pipe) => self.pipe(pipe, dot)?,
            None => Value::Missing,
        };
        let variables = std::mem::replace(&mut self.variables, vec![("$".into(), dot.clone())]);
        let name = std::mem::replace(&mut self.name, call.name.clone());
        self.depth += 1;
        self.nodes(nodes, &dot)?;
        self.depth -= 1;
        self.name = name;
        self.variables = variables;
        Ok(())
    }

    fn pipe(&mut self, pipe: &Pipe, dot: &Value) -> Run<Value> {
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(command, dot, value)?);
        }
        let value = value.unwrap_or(Value::Missing);
        for name in &pipe.variables {
            match pipe.assigns {
                true => self.assign(name, value.clone()),
                false => self.variables.push((name.clone(), value.clone())),
            }
        }
        Ok(value)
    }

    fn command(&mut self, command: &Command, dot: &Value, last: Option<Value>) -> Run<Value> {
        let (first, rest) = match command.arguments.split_first() {
            Some(split) => split,
            None => return Ok(Value::Missing),
        };
        match &first.term {
            Term::Function(name) => return self.function(name, command, dot, last),
            Term::Field(names) => return self.fields(first, dot, names, dot, rest, last),
            Term::Variable(name, names) if !names.is_empty() => {
                let value = self.variable(name);
                return self.fields(first, &value, names, dot, rest, last);
            }
            Term::Chain(inner, names) => {
                let value = self.value(inner, dot)?;
                return self.fields(first, &value, names, dot, rest, last);
            }
            Term::Nil => return self.fail(first.at, first, "nil is not a command"),
            _ => {}
        }
        if !rest.is_empty() || last.is_some() {
            let message = format!("can't give argument to non-function {first}");
            return self.fail(first.at, first, message);
        }
        self.value(first, dot)
    }

    /// A term as an argument.
    fn value(&mut self, expression: &Expression, dot: &Value) -> Run<Value> {
        match &expression.term {
            Term::Dot => Ok(dot.clone()),
            Term::Nil => Ok(Value::Nil(Nil::Pointer)),
            Term::Bool(flag) => Ok(Value::Bool(*flag)),
            Term::Number(text) => Ok(parse_number(text).unwrap_or(Value::Missing)),
            Term::Text(_, text) => Ok(Value::text(text)),
            Term::Function(name) => {
                let command = Command {
                    at: expression.at,
                    arguments: Vec::new(),
                };
                self.function(name, &command, dot, None)
            }
            Term::Field(names) => self.fields(expression, dot, names, dot, &[], None),
            Term::Variable(name, names) => {
                let value = self.variable(name);
                self.fields(expression, &value, names, dot, &[], None)
            }
            Term::Pipe(pipe) => {
                let known = self.variables.len();
                let value = self.pipe(pipe, dot);
                self.variables.truncate(known);
                value
            }
            Term::Chain(inner, names) => {
                let value = self.value(inner, dot)?;
                self.fields(expression, &value, names, dot, &[], None)
            }
        }
    }

    fn variable(&self, name: &str) -> Value {
        let found = self.variables.iter().rev().find(|known| known.0 == name);
        found.map_or(Value::Missing, |(_, value)| value.clone())
    }

    /// `.A.B`, where the last name may be a method with arguments.
    fn fields(
        &mut self,
        whole: &Expression,
        start: &Value,
        names: &[String],
        dot: &Value,
        arguments: &[Expression],
        last: Option<Value>,
    ) -> Run<Value> {
        let mut value = start.clone();
        for (number, name) in names.iter().enumerate() {
            let is_last = number + 1 == names.len();
            if name == "Label"
                && let Value::Object(object) = &value
                && matches!(object.shape, Shape::Row(_) | Shape::Header)
            {
                let (arguments, last) = match is_last {
                    true => (arguments, last.clone()),
                    false => (&[][..], None),
                };
                value = self.label(whole, &value, dot, arguments, last)?;
                continue;
            }
            let before = match number {
                0 => "",
                _ => names[number - 1].as_str(),
            };
            value = self.field(whole, &value, name, before)?;
            if is_last && (!arguments.is_empty() || last.is_some()) {
                let message = format!("{name} is not a method but has arguments");
                return self.fail(whole.at, whole, message);
            }
        }
        Ok(value)
    }

    fn field(&self, whole: &Expression, value: &Value, name: &str, before: &str) -> Run<Value> {
        let no_entry = |key: &str| format!("map has no entry for key {key:?}");
        let message = match value {
            Value::Object(object) => match (object.get(name), object.shape) {
                (Some(found), _) => return Ok(found.clone()),
                (None, Shape::Map | Shape::Header) => return Ok(Value::Missing),
                (None, Shape::Struct) => match Object::left_out(name) {
                    Some(value) => return Ok(value),
                    None => no_entry(name),
                },
                (None, Shape::Row(kind)) => {
                    format!("can't evaluate field {name} in type {kind}")
                }
            },
            Value::Nil(Nil::Map) => return Ok(Value::Missing),
            Value::Missing | Value::Nil(_) if before.is_empty() => {
                format!("nil data; no entry for key {name:?}")
            }
            Value::Missing | Value::Nil(_) => no_entry(before),
            other => {
                // Rows have typed fields, documents have not.
                let in_row = self.variables.first().is_some_and(
                    |root| matches!(&root.1, Value::Object(o) if matches!(o.shape, Shape::Row(_))),
                );
                let kind = if in_row {
                    other.type_name()
                } else {
                    "interface {}"
                };
                format!("can't evaluate field {name} in type {kind}")
            }
        };
        self.fail(whole.at, whole, message)
    }

    /// `.Label "key"`.
    fn label(
        &mut self,
        whole: &Expression,
        row: &Value,
        dot: &Value,
        arguments: &[Expression],
        last: Option<Value>,
    ) -> Run<Value> {
        let got = arguments.len() + usize::from(last.is_some());
        if got != 1 {
            let message = format!("wrong number of args for Label: want 1 got {got}");
            return self.fail(whole.at, whole, message);
        }
        let key = match (arguments.first(), last) {
            (Some(argument), _) => {
                let value = self.value(argument, dot)?;
                self.check(argument, &value, Type::Text)?;
                value
            }
            (None, value) => value.unwrap_or(Value::Missing),
        };
        let key = key.to_string();
        Ok(match row {
            Value::Object(object) if object.shape == Shape::Header => {
                let last = key.rsplit('.').next().unwrap_or_default();
                Value::text(last.replace(['-', '_'], " "))
            }
            Value::Object(object) => match object.get(super::LABELS) {
                Some(Value::Object(labels)) => {
                    labels.get(&key).cloned().unwrap_or_else(|| Value::text(""))
                }
                _ => Value::text(""),
            },
            _ => Value::Missing,
        })
    }

    fn function(
        &mut self,
        name: &str,
        command: &Command,
        dot: &Value,
        last: Option<Value>,
    ) -> Run<Value> {
        let given = command.arguments.get(1..).unwrap_or(&[]);
        let Some(function) = functions::find(name) else {
            return self.fail(
                command.at,
                name,
                format!("{name:?} is not a defined function"),
            );
        };
        let got = given.len() + usize::from(last.is_some());
        if let Some(wanted) = function.arity.refuses(got) {
            let message = format!("wrong number of args for {name}: want {wanted} got {got}");
            return self.fail(command.at, name, message);
        }
        let types = function.arity.types();
        let header = self.is_header() && function.dockers;
        let mut values = Vec::with_capacity(got);
        for (number, argument) in given.iter().enumerate() {
            let value = self.value(argument, dot)?;
            let wanted = types.get(number).copied().unwrap_or(Type::Any);
            if !header {
                self.check(argument, &value, wanted)?;
            }
            // Only as many as are needed: the rest may be what the first protects from.
            let decided = match name {
                "and" => !value.is_true(),
                "or" => value.is_true(),
                _ => false,
            };
            if decided {
                return Ok(value);
            }
            values.push(value);
        }
        if let Some(value) = last {
            let wanted = types.get(values.len()).copied().unwrap_or(Type::Any);
            if !header && !fits(&value, wanted) {
                let message = wrong_type(&value, wanted);
                return self.fail(command.at, name, message);
            }
            values.push(value);
        }
        if header {
            return Ok(values.swap_remove(0));
        }
        let result = (function.call)(&values);
        result.or_else(|message| {
            let message = match (name, given.first()) {
                ("call", Some(argument)) => {
                    format!("non-function {argument} of type {}", values[0].type_name())
                }
                _ => message,
            };
            self.fail(
                command.at,
                command,
                format!("error calling {name}: {message}"),
            )
        })
    }

    fn is_header(&self) -> bool {
        let root = self.variables.first();
        root.is_some_and(
            |root| matches!(&root.1, Value::Object(object) if object.shape == Shape::Header),
        )
    }

    fn check(&self, argument: &Expression, value: &Value, wanted: Type) -> Run<()> {
        if fits(value, wanted) {
            return Ok(());
        }
        let literal = matches!(
            argument.term,
            Term::Number(_) | Term::Text(..) | Term::Bool(_) | Term::Nil
        );
        let message = match (literal, wanted) {
            (true, Type::Text) => format!("expected string; found {argument}"),
            (true, Type::Whole) => format!("expected integer; found {argument}"),
            _ => wrong_type(value, wanted),
        };
        self.fail(argument.at, argument, message)
    }
}

fn fits(value: &Value, wanted: Type) -> bool {
    match wanted {
        Type::Any => true,
        Type::Text => matches!(value, Value::Text(_)),
        Type::Whole => matches!(value, Value::Number(_)),
        Type::Texts => matches!(value, Value::List(_) | Value::Nil(Nil::Slice)),
    }
}

fn wrong_type(value: &Value, wanted: Type) -> String {
    let wanted = match wanted {
        Type::Any => "interface {}",
        Type::Text => "string",
        Type::Whole => "int",
        Type::Texts => "[]string",
    };
    format!(
        "wrong type for value; expected {wanted}; got {}",
        value.type_name()
    )
}
