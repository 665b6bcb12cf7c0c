//! Tokens → tree, with the grammar and the messages of Go's text/template.

use std::collections::BTreeMap;

use super::lexer::{Kind, Token, tokens};
use super::tree::{Branch, Call, Command, Expression, Node, Pipe, Term};
use super::value::{parse_number, unquote};

/// How deep parentheses and blocks may be nested: a bound for the stack.
const DEEPEST: usize = 100;

/// The main template is the one without a name.
pub type Templates = BTreeMap<String, Vec<Node>>;

/// Parses a template and those it defines.
///
/// # Errors
/// Line and message.
pub fn parse(
    source: &str,
    is_function: &dyn Fn(&str) -> bool,
) -> Result<Templates, (usize, String)> {
    let mut parser = Parser {
        tokens: tokens(source),
        at: 0,
        is_function,
        variables: vec!["$".to_owned()],
        ranges: 0,
        depth: 0,
        templates: Templates::new(),
    };
    match parser.main() {
        Ok(()) => Ok(parser.templates),
        Err(message) => Err((parser.line(), message)),
    }
}

type Parsed<T> = Result<T, String>;

/// What ended a list of nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    Else,
    End,
    Eof,
}

enum Next {
    Node(Node),
    Nothing,
    Stop(Stop),
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    is_function: &'a dyn Fn(&str) -> bool,
    variables: Vec<String>,
    /// Ranges around the current place.
    ranges: usize,
    depth: usize,
    templates: Templates,
}

impl Parser<'_> {
    fn line(&self) -> usize {
        let last = self.tokens.len() - 1;
        self.tokens[self.at.saturating_sub(1).min(last)].line
    }

    fn peek(&self) -> &Token {
        // The last token is an end or an error, and is never passed.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn peek_solid(&mut self) -> Token {
        while self.peek().kind == Kind::Space {
            self.at += 1;
        }
        self.peek().clone()
    }

    fn next_solid(&mut self) -> Token {
        let token = self.peek_solid();
        self.at += 1;
        token
    }

    fn expect_close(&mut self, context: &str) -> Parsed<()> {
        match self.next_solid() {
            token if token.kind == Kind::Close => Ok(()),
            token => Err(unexpected(&token, context)),
        }
    }

    fn main(&mut self) -> Parsed<()> {
        let (nodes, stop) = self.list(true)?;
        match stop {
            Stop::Eof => {}
            Stop::End => return Err("unexpected {{end}}".to_owned()),
            Stop::Else => return Err("unexpected {{else}}".to_owned()),
        }
        self.templates.insert(String::new(), nodes);
        Ok(())
    }

    fn list(&mut self, top: bool) -> Parsed<(Vec<Node>, Stop)> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("blocks are nested more than {DEEPEST} deep"));
        }
        let mut nodes = Vec::new();
        loop {
            let token = self.next();
            let next = match token.kind {
                Kind::Text => Next::Node(Node::Text(token.text)),
                Kind::Open => self.action(top)?,
                Kind::End => Next::Stop(Stop::Eof),
                _ => return Err(unexpected(&token, "input")),
            };
            match next {
                Next::Node(node) => nodes.push(node),
                Next::Nothing => {}
                Next::Stop(stop) => {
                    self.depth -= 1;
                    return Ok((nodes, stop));
                }
            }
        }
    }

    fn action(&mut self, top: bool) -> Parsed<Next> {
        let token = self.next_solid();
        if token.kind == Kind::Keyword {
            match token.text.as_str() {
                "if" => return Ok(Next::Node(Node::If(self.branch("if")?))),
                "with" => return Ok(Next::Node(Node::With(self.branch("with")?))),
                "range" => return Ok(Next::Node(Node::Range(self.branch("range")?))),
                "block" => return self.block(),
                "define" if top => return self.define(),
                "template" => return self.call(),
                "end" => return self.expect_close("end").map(|()| Next::Stop(Stop::End)),
                "else" => {
                    let next = self.peek_solid();
                    if next.kind != Kind::Keyword || !matches!(&*next.text, "if" | "with") {
                        self.expect_close("else")?;
                    }
                    return Ok(Next::Stop(Stop::Else));
                }
                word @ ("break" | "continue") => {
                    if self.ranges == 0 {
                        return Err(format!("{{{{{word}}}}} outside {{{{range}}}}"));
                    }
                    self.expect_close(&format!("{{{{{word}}}}}"))?;
                    return Ok(Next::Node(match word {
                        "break" => Node::Break,
                        _ => Node::Continue,
                    }));
                }
                _ => {}
            }
        }
        self.at -= 1;
        Ok(Next::Node(Node::Action(self.pipe("command", Kind::Close)?)))
    }

    /// The rest of `if`, `with` and `range`.
    fn branch(&mut self, word: &str) -> Parsed<Branch> {
        let known = self.variables.len();
        let pipe = self.pipe(word, Kind::Close)?;
        let is_range = usize::from(word == "range");
        self.ranges += is_range;
        let (body, stop) = self.list(false)?;
        self.ranges -= is_range;
        let mut otherwise = None;
        match stop {
            Stop::Eof => return Err("unexpected EOF".to_owned()),
            Stop::End => {}
            Stop::Else => otherwise = Some(self.otherwise(word)?),
        }
        self.variables.truncate(known);
        Ok(Branch {
            pipe,
            body,
            otherwise,
        })
    }

    fn otherwise(&mut self, word: &str) -> Parsed<Vec<Node>> {
        let next = self.peek_solid();
        if next.kind == Kind::Keyword && next.text == word && word != "range" {
            // {{else if …}}: its end is ours.
            self.at += 1;
            let inner = self.branch(word)?;
            return Ok(vec![match word {
                "if" => Node::If(inner),
                _ => Node::With(inner),
            }]);
        }
        if matches!(&*next.text, "if" | "with") && next.kind == Kind::Keyword {
            return Err(unexpected(&next, "else"));
        }
        let (nodes, stop) = self.list(false)?;
        match stop {
            Stop::End => Ok(nodes),
            Stop::Else => Err("expected end; found {{else}}".to_owned()),
            Stop::Eof => Err("unexpected EOF".to_owned()),
        }
    }

    fn name(&mut self, context: &str) -> Parsed<(usize, String)> {
        let token = self.next_solid();
        match token.kind {
            Kind::Quoted | Kind::Raw => Ok((token.at, unquote(&token.text)?)),
            _ => Err(unexpected(&token, context)),
        }
    }

    fn define(&mut self) -> Parsed<Next> {
        let (_, name) = self.name("define clause")?;
        self.expect_close("define clause")?;
        let outer = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let nodes = self.body("define clause")?;
        self.variables = outer;
        self.add(name, nodes).map(|()| Next::Nothing)
    }

    fn body(&mut self, context: &str) -> Parsed<Vec<Node>> {
        let ranges = std::mem::take(&mut self.ranges);
        let (nodes, stop) = self.list(false)?;
        self.ranges = ranges;
        match stop {
            Stop::End => Ok(nodes),
            Stop::Eof => Err("unexpected EOF".to_owned()),
            Stop::Else => Err(format!("unexpected {{{{else}}}} in {context}")),
        }
    }

    fn add(&mut self, name: String, nodes: Vec<Node>) -> Parsed<()> {
        if self.templates.contains_key(&name) {
            return Err(format!(
                "template: multiple definition of template {name:?}"
            ));
        }
        self.templates.insert(name, nodes);
        Ok(())
    }

    fn block(&mut self) -> Parsed<Next> {
        let (at, name) = self.name("block clause")?;
        let pipe = Some(self.pipe("block clause", Kind::Close)?);
        let outer = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let nodes = self.body("block clause")?;
        self.variables = outer;
        self.add(name.clone(), nodes)?;
        Ok(Next::Node(Node::Template(Call { at, name, pipe })))
    }

    fn call(&mut self) -> Parsed<Next> {
        let (at, name) = self.name("template clause")?;
        let pipe = match self.peek_solid().kind {
            Kind::Close => self.expect_close("template clause").map(|()| None)?,
            _ => Some(self.pipe("template clause", Kind::Close)?),
        };
        Ok(Next::Node(Node::Template(Call { at, name, pipe })))
    }

    fn pipe(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("pipelines are nested more than {DEEPEST} deep"));
        }
        let (variables, assigns) = self.declarations(context)?;
        let mut commands = Vec::new();
        loop {
            let token = self.next_solid();
            match token.kind {
                kind if kind == end => break,
                Kind::Bool | Kind::Character | Kind::Dot | Kind::Field | Kind::Word => {}
                Kind::Number | Kind::Quoted | Kind::Raw | Kind::Variable | Kind::LeftParen => {}
                Kind::Keyword if token.text == "nil" => {}
                _ => return Err(unexpected(&token, context)),
            }
            self.at -= 1;
            commands.push(self.command()?);
        }
        self.depth -= 1;
        if commands.is_empty() {
            return Err(format!("missing value for {context}"));
        }
        for (stage, command) in commands.iter().enumerate().skip(1) {
            let first = command.arguments.first().map(|argument| &argument.term);
            if let Some(Term::Bool(_) | Term::Dot | Term::Nil | Term::Number(_) | Term::Text(..)) =
                first
            {
                let stage = stage + 1;
                return Err(format!("non executable command in pipeline stage {stage}"));
            }
        }
        Ok(Pipe {
            variables,
            assigns,
            commands,
        })
    }

    /// `$x :=`, `$x =`, and for ranges `$i, $x :=`.
    fn declarations(&mut self, context: &str) -> Parsed<(Vec<String>, bool)> {
        let mut names = Vec::new();
        loop {
            let start = self.at;
            let token = self.peek_solid();
            if token.kind != Kind::Variable {
                return Ok((names, false));
            }
            self.at += 1;
            let next = self.peek_solid();
            match next.kind {
                Kind::Declare | Kind::Assign => {
                    self.at += 1;
                    let assigns = next.kind == Kind::Assign;
                    names.push(token.text);
                    match assigns {
                        true => names
                            .iter()
                            .try_for_each(|name| self.check_variable(name))?,
                        false => self.variables.extend(names.iter().cloned()),
                    }
                    return Ok((names, assigns));
                }
                Kind::Other if next.text == "," => {
                    self.at += 1;
                    names.push(token.text);
                    if context != "range" || names.len() > 1 {
                        return Err(format!("too many declarations in {context}"));
                    }
                    let after = self.peek_solid().kind;
                    if !matches!(after, Kind::Variable | Kind::Close | Kind::RightParen) {
                        return Err("range can only initialize variables".to_owned());
                    }
                }
                _ => {
                    self.at = start;
                    return Ok((names, false));
                }
            }
        }
    }

    fn check_variable(&self, name: &str) -> Parsed<()> {
        match self.variables.iter().any(|known| known == name) {
            true => Ok(()),
            false => Err(format!("undefined variable {name:?}")),
        }
    }

    fn command(&mut self) -> Parsed<Command> {
        let mut arguments = Vec::new();
        let at = self.peek_solid().at;
        loop {
            self.peek_solid();
            arguments.extend(self.operand()?);
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::Close | Kind::RightParen => self.at -= 1,
                Kind::Pipe => {}
                _ => return Err(unexpected(&token, "operand")),
            }
            break;
        }
        if arguments.is_empty() {
            return Err("empty command".to_owned());
        }
        Ok(Command { at, arguments })
    }

    fn operand(&mut self) -> Parsed<Option<Expression>> {
        let Some(mut expression) = self.term()? else {
            return Ok(None);
        };
        let at = self.peek().at;
        let mut more = Vec::new();
        while self.peek().kind == Kind::Field {
            more.push(self.next().text[1..].to_owned());
        }
        if more.is_empty() {
            return Ok(Some(expression));
        }
        match &mut expression.term {
            // As in Go, the place of several fields is that of the second.
            Term::Field(fields) | Term::Variable(_, fields) => {
                fields.append(&mut more);
                expression.at = at;
                Ok(Some(expression))
            }
            Term::Function(_) | Term::Pipe(_) => Ok(Some(Expression {
                at,
                term: Term::Chain(Box::new(expression), more),
            })),
            _ => Err(format!(
                "unexpected . after term {:?}",
                expression.to_string()
            )),
        }
    }

    fn term(&mut self) -> Parsed<Option<Expression>> {
        let token = self.next_solid();
        let text = token.text;
        let term = match token.kind {
            Kind::Dot => Term::Dot,
            Kind::Keyword if text == "nil" => Term::Nil,
            Kind::Bool => Term::Bool(text == "true"),
            Kind::Number => Term::Number(text),
            Kind::Character => match unquote(&text).map(|text| text.chars().collect::<Vec<_>>()) {
                Ok(one) if one.len() == 1 => Term::Number(u32::from(one[0]).to_string()),
                _ => return Err(format!("malformed character constant: {text}")),
            },
            Kind::Quoted | Kind::Raw => {
                let meant = unquote(&text)?;
                Term::Text(text, meant)
            }
            Kind::Field => Term::Field(vec![text[1..].to_owned()]),
            Kind::Variable => {
                self.check_variable(&text)?;
                Term::Variable(text, Vec::new())
            }
            Kind::Word if (self.is_function)(&text) => Term::Function(text),
            Kind::Word => return Err(format!("function {text:?} not defined")),
            Kind::LeftParen => {
                let pipe = self.pipe("parenthesized pipeline", Kind::RightParen)?;
                Term::Pipe(Box::new(pipe))
            }
            _ => {
                self.at -= 1;
                return Ok(None);
            }
        };
        if let Term::Number(text) = &term
            && parse_number(text).is_none()
        {
            return Err(format!("bad number syntax: {text:?}"));
        }
        Ok(Some(Expression { at: token.at, term }))
    }
}

fn unexpected(token: &Token, context: &str) -> String {
    let shown = match token.kind {
        Kind::Error => return token.text.clone(),
        Kind::End => "EOF".to_owned(),
        Kind::Keyword | Kind::Dot => format!("<{}>", token.text),
        _ if token.text.chars().count() > 10 => {
            let start: String = token.text.chars().take(10).collect();
            format!("{start:?}...")
        }
        _ => format!("{:?}", token.text),
    };
    format!("unexpected {shown} in {context}")
}
