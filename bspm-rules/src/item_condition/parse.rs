//! From text to a condition.

use std::fmt::Display;

use sqlparser::ast::{BinaryOperator, Expr, InTarget, UnaryOperator, Value};
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::{Comparison, Node, Operand, Pattern, wrong};
use bspm_data::Result;

/// The most parentheses within each other.
const DEEPEST: usize = 40;

/// The expectation of errors, with an example of a condition.
const CONDITION: &str = "a condition such as price < 20 and brand in ('a', 'b') and in_stock";

/// The stack of the thread that parses: without optimization, the parser takes much of it for each
/// parenthesis, and other threads may have little left.
const STACK: usize = 16 << 20;

/// Parses a condition.
pub(super) fn parse(text: &str) -> Result<Node> {
    let failed = |why: &dyn Display| wrong("a thread that parses the condition", why);
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let thread = thread.spawn_scoped(scope, || parse_here(text));
        let parsed = thread.map_err(|error| failed(&error))?.join();
        parsed.unwrap_or_else(|_| Err(failed(&"a panic of the parser")))
    })
}

fn parse_here(text: &str) -> Result<Node> {
    // Of the dialects that of MySQL has texts in both quotes, and names in backquotes.
    let parser = Parser::new(&MySqlDialect {}).with_recursion_limit(DEEPEST);
    let parsed = parser.try_with_sql(text).and_then(|mut parser| {
        let condition = parser.parse_expr()?;
        parser.expect_token(&Token::EOF)?;
        Ok(condition)
    });
    match parsed {
        Ok(condition) => node(&condition),
        Err(ParserError::RecursionLimitExceeded) => {
            let expected = format!("at most {DEEPEST} nested parentheses");
            Err(wrong(expected, "more"))
        }
        Err(ParserError::TokenizerError(problem) | ParserError::ParserError(problem)) => {
            Err(wrong(CONDITION, format!("{text:?} ({problem})")))
        }
    }
}

fn node(part: &Expr) -> Result<Node> {
    Ok(match part {
        Expr::Nested(part) => node(part)?,
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr,
        } => not(node(expr)?),
        Expr::BinaryOp {
            op: BinaryOperator::And,
            ..
        } => Node::And(chain(part, &BinaryOperator::And)?),
        Expr::BinaryOp {
            op: BinaryOperator::Or,
            ..
        } => Node::Or(chain(part, &BinaryOperator::Or)?),
        Expr::BinaryOp { left, op, right } => binary(left, op, right)?,
        Expr::IsNull(part) => Node::IsMissing(column(part)?),
        Expr::IsNotNull(part) => not(Node::IsMissing(column(part)?)),
        Expr::Between {
            expr,
            negated,
            low,
            high,
        } => {
            let value = operand(expr)?;
            let least = Node::Compare(value.clone(), Comparison::GreaterOrEqual, operand(low)?);
            let most = Node::Compare(value, Comparison::LessOrEqual, operand(high)?);
            negated_if(*negated, Node::And(vec![least, most]))
        }
        Expr::In {
            expr,
            target: InTarget::List(values),
            negated,
            ..
        } => {
            let values = values.iter().map(operand).collect::<Result<_>>()?;
            negated_if(*negated, Node::OneOf(operand(expr)?, values))
        }
        Expr::Like {
            negated,
            any: false,
            expr,
            pattern,
            escape_char: None,
        } => negated_if(*negated, like(expr, pattern, false)?),
        Expr::ILike {
            negated,
            any: false,
            expr,
            pattern,
            escape_char: None,
        } => negated_if(*negated, like(expr, pattern, true)?),
        Expr::Identifier(name) => Node::Is(name.value.clone()),
        other => return Err(wrong(CONDITION, format!("{:?}", other.to_string()))),
    })
}

fn not(node: Node) -> Node {
    Node::Not(Box::new(node))
}

fn negated_if(is_negated: bool, node: Node) -> Node {
    if is_negated { not(node) } else { node }
}

/// Converts the parts of a chain of one operator, without recursion along the chain.
fn chain(whole: &Expr, operator: &BinaryOperator) -> Result<Vec<Node>> {
    let (mut parts, mut first) = (Vec::new(), whole);
    while let Expr::BinaryOp { left, op, right } = first
        && op == operator
    {
        parts.push(&**right);
        first = left;
    }
    let parts = std::iter::once(first).chain(parts.into_iter().rev());
    parts.map(node).collect()
}

fn binary(left: &Expr, operator: &BinaryOperator, right: &Expr) -> Result<Node> {
    let comparison = match operator {
        BinaryOperator::Eq => Comparison::Equal,
        BinaryOperator::NotEq => Comparison::NotEqual,
        BinaryOperator::Lt => Comparison::Less,
        BinaryOperator::LtEq => Comparison::LessOrEqual,
        BinaryOperator::Gt => Comparison::Greater,
        BinaryOperator::GtEq => Comparison::GreaterOrEqual,
        other => return Err(wrong(CONDITION, format!("\"{left} {other} {right}\""))),
    };
    Ok(Node::Compare(operand(left)?, comparison, operand(right)?))
}

fn like(of: &Expr, pattern: &Expr, ignores_case: bool) -> Result<Node> {
    let Operand::Text(text) = operand(pattern)? else {
        return Err(wrong("a text after like", pattern));
    };
    let part = |character: char| match character {
        '%' => Pattern::AnyText,
        '_' => Pattern::AnyCharacter,
        other => Pattern::Character(other),
    };
    let text = if ignores_case {
        text.to_lowercase()
    } else {
        text
    };
    Ok(Node::Like {
        column: column(of)?,
        pattern: text.chars().map(part).collect(),
        ignores_case,
    })
}

fn column(part: &Expr) -> Result<String> {
    match operand(part)? {
        Operand::Column(name) => Ok(name),
        _ => Err(wrong("a column", part)),
    }
}

fn operand(part: &Expr) -> Result<Operand> {
    let number = |text: &str, sign: f64| match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Operand::Number(sign * number)),
        _ => Err(wrong("a finite number", format!("{text:?}"))),
    };
    match part {
        Expr::Nested(part) => operand(part),
        Expr::Identifier(name) => Ok(Operand::Column(name.value.clone())),
        Expr::UnaryOp {
            op: op @ (UnaryOperator::Minus | UnaryOperator::Plus),
            expr,
        } => match (operand(expr)?, op) {
            (Operand::Number(number), UnaryOperator::Minus) => Ok(Operand::Number(-number)),
            (Operand::Number(number), _) => Ok(Operand::Number(number)),
            _ => Err(wrong("a number after the sign", expr)),
        },
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => {
                Ok(Operand::Text(text.clone()))
            }
            Value::Number(text, false) => number(text, 1.0),
            Value::Boolean(boolean) => Ok(Operand::Boolean(*boolean)),
            Value::Null => Err(wrong("a value (use is null for missing values)", "null")),
            other => Err(wrong("a number, a text in quotes, true or false", other)),
        },
        Expr::CompoundIdentifier(_) => {
            let expected = "a column (in backquotes if its name is not an identifier)";
            Err(wrong(expected, format!("\"{part}\"")))
        }
        other => {
            let expected = "a column, a number, a text in quotes, true or false";
            Err(wrong(expected, format!("{:?}", other.to_string())))
        }
    }
}
