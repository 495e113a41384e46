//! Functions. Most are put together from a few that both databases and memory carry out alike.

use std::mem::discriminant;

use super::super::ast::{Arithmetic, Comparison, Node, NodeKind};
use super::super::ir::{Condition, Number, Operand, Pick, Text, Time};
use super::super::number;
use super::compare::noun;
use super::paths;
use super::{Checker, Reported, Typed};
use crate::expr::Purpose;

/// The most texts that one expression joins: each may be as long as a request.
const MAX_JOINED: usize = 64;
/// The last position that `substring` takes.
const MAX_POSITION: f64 = 1_000_000.0;

const KNOWN: &str = "concat, upper, lower, trim, length, substring, abs, ceil, floor, round, if, coalesce, nullif, now, \
                     date_diff and date_add";

impl Checker<'_> {
    pub(super) fn function(
        &mut self,
        name: &str,
        args: &[Node],
        at: usize,
    ) -> Result<Typed, Reported> {
        if matches!(self.purpose, Purpose::Rule { .. }) && self.query.is_none() {
            let message = format!(
                "functions such as {name}(…) are not available in a rule; define a computed field and use that"
            );
            return self.report(at, message);
        }
        let name = name.to_ascii_lowercase();
        let (least, most, usage) = match name.as_str() {
            "concat" => (2, usize::MAX, "concat(text, text, …)"),
            "upper" | "lower" | "trim" | "length" => (1, 1, "one text"),
            "substring" => (
                2,
                3,
                "substring(text, start) or substring(text, start, length)",
            ),
            "abs" | "ceil" | "floor" => (1, 1, "one number"),
            "round" => (1, 2, "round(number) or round(number, digits)"),
            "if" => (3, 3, "if(condition, then, otherwise)"),
            "coalesce" => (2, usize::MAX, "coalesce(value, value, …)"),
            "nullif" => (2, 2, "nullif(value, value)"),
            "now" => (0, 0, "now()"),
            "date_diff" => (3, 3, "date_diff(later, earlier, 'days')"),
            "date_add" => (3, 3, "date_add(time, number, 'days')"),
            _ => {
                return self.report(
                    at,
                    format!("there is no function {name}; there are {KNOWN}"),
                );
            }
        };
        if args.len() < least || args.len() > most {
            return self.report(at, format!("{name} takes other arguments: {usage}"));
        }
        Ok(Some(match name.as_str() {
            "concat" => self.concat(args, at)?,
            "upper" | "lower" => {
                let text = Box::new(self.text(&args[0], &name)?);
                Operand::Text(Text::Case {
                    upper: name == "upper",
                    text,
                })
            }
            "trim" => Operand::Text(Text::Trim(Box::new(self.text(&args[0], &name)?))),
            "length" => Operand::Number(Number::Length(Box::new(self.text(&args[0], &name)?))),
            "substring" => self.substring(args)?,
            "abs" => Operand::Number(Number::Abs(Box::new(self.factor(&args[0], &name)?))),
            "floor" => Operand::Number(floor(self.factor(&args[0], &name)?)),
            "ceil" => Operand::Number(negative(floor(negative(self.factor(&args[0], &name)?)))),
            "round" => self.round(args, at)?,
            "now" => {
                self.clock = true;
                Operand::Time(Time::Now)
            }
            "date_diff" => {
                let (later, earlier) = (self.time(&args[0], &name), self.time(&args[1], &name));
                let unit = self.unit(&args[2])?;
                let (later, earlier) = (millis(later?), millis(earlier?));
                let difference = binary(Arithmetic::Subtract, later, earlier);
                Operand::Number(binary(
                    Arithmetic::Divide,
                    difference,
                    Number::Literal(unit),
                ))
            }
            "date_add" => {
                let (time, amount) = (self.time(&args[0], &name), self.factor(&args[1], &name));
                let unit = self.unit(&args[2])?;
                let amount = binary(Arithmetic::Multiply, amount?, Number::Literal(unit));
                let sum = self.safe(floor(binary(Arithmetic::Add, millis(time?), amount)), at)?;
                Operand::Time(Time::OfMillis(Box::new(sum)))
            }
            _ => self.pick(&name, args, at)?,
        }))
    }

    fn concat(&mut self, args: &[Node], at: usize) -> Result<Operand, Reported> {
        let parts: Vec<_> = args.iter().map(|arg| self.text(arg, "concat")).collect();
        let text = Text::Concat(parts.into_iter().collect::<Result<_, _>>()?);
        if joined(&text) > MAX_JOINED {
            return self.report(
                at,
                format!("an expression joins at most {MAX_JOINED} texts"),
            );
        }
        Ok(Operand::Text(text))
    }

    fn substring(&mut self, args: &[Node]) -> Result<Operand, Reported> {
        let text = self.text(&args[0], "substring");
        let start = self.whole(&args[1], 1.0, MAX_POSITION, "the start");
        let length = args
            .get(2)
            .map(|arg| self.whole(arg, 0.0, MAX_POSITION, "the length"))
            .transpose();
        Ok(Operand::Text(Text::Substring {
            text: Box::new(text?),
            start: start?,
            length: length?,
        }))
    }

    /// Half away from zero: `sign * floor(abs(x) * 10ⁿ + 0.5) / 10ⁿ`.
    fn round(&mut self, args: &[Node], at: usize) -> Result<Operand, Reported> {
        let number = self.factor(&args[0], "round");
        let digits = args.get(1).map_or(Ok(0), |arg| {
            self.whole(arg, 0.0, 10.0, "the number of digits")
        })?;
        let (number, power) = (
            number?,
            Number::Literal(10_f64.powi(i32::try_from(digits).unwrap_or_default())),
        );
        let sign = Pick::If {
            condition: Box::new(Condition::Compare {
                op: Comparison::Less,
                left: Operand::Number(number.clone()),
                right: Operand::Number(Number::Literal(0.0)),
            }),
            then: Some(Box::new(Number::Literal(-1.0))),
            otherwise: Some(Box::new(Number::Literal(1.0))),
        };
        let scaled = binary(
            Arithmetic::Multiply,
            Number::Abs(Box::new(number)),
            power.clone(),
        );
        let whole = floor(binary(Arithmetic::Add, scaled, Number::Literal(0.5)));
        let signed = binary(Arithmetic::Multiply, Number::Pick(sign), whole);
        self.safe(binary(Arithmetic::Divide, signed, power), at)
            .map(Operand::Number)
    }

    /// `if`, `coalesce` and `nullif`: values of one type.
    fn pick(&mut self, name: &str, args: &[Node], at: usize) -> Result<Operand, Reported> {
        let (condition, values) = match name {
            "if" => (Some(self.condition(&args[0])), &args[1..]),
            _ => (None, args),
        };
        let checked: Vec<_> = values
            .iter()
            .map(|value| (self.operand(value), value.at))
            .collect();
        let condition = condition.transpose()?;
        let mut parts = Vec::new();
        for (part, part_at) in checked {
            match part? {
                Some(Operand::Json(_)) => {
                    return self.report(part_at, format!("{name} takes no documents"));
                }
                None if name != "if" => {
                    return self.report(part_at, format!("{name} takes no null"));
                }
                part => parts.push((part, part_at)),
            }
        }
        // A part of a document has the type of what stands next to it.
        let known = parts.iter().find_map(|(part, _)| {
            part.clone()
                .filter(|part| !matches!(part, Operand::Path(_)))
        });
        match known {
            Some(known) => {
                for (part, _) in &mut parts {
                    *part = part.take().map(|part| paths::alike(part, &known));
                }
            }
            None if parts.iter().any(|(part, _)| part.is_some()) => {
                let message =
                    format!("{name} needs a value whose type is known, besides parts of documents");
                return self.report(at, message);
            }
            None => {}
        }
        // A text next to a time is read as one.
        let is_time = |part: &Option<Operand>| matches!(part, Some(Operand::Time(_)));
        if parts.iter().any(|(part, _)| is_time(part)) {
            for (part, part_at) in &mut parts {
                if let Some(Operand::Text(Text::Literal(text))) = part {
                    *part = Some(self.instant(&text.clone(), *part_at)?);
                }
            }
        }
        let Some(first) = parts.iter().find_map(|(part, _)| part.clone()) else {
            return self.report(
                at,
                format!("{name} needs a value that is not null, to have a type"),
            );
        };
        for (part, part_at) in &parts {
            if let Some(part) = part
                && discriminant(part) != discriminant(&first)
            {
                let message = format!(
                    "{name} takes values of one type, not {} and {}",
                    noun(&first),
                    noun(part)
                );
                return self.report(*part_at, message);
            }
        }
        let parts = parts.into_iter().map(|(part, _)| part).collect();
        let picked = match first {
            Operand::Text(_) => picked::<Text>(condition, name, parts),
            Operand::Number(_) => picked::<Number>(condition, name, parts),
            Operand::Bool(_) => picked::<Condition>(condition, name, parts),
            Operand::Time(_) => picked::<Time>(condition, name, parts),
            Operand::Json(_) | Operand::Path(_) => None,
        };
        picked.map_or_else(
            || self.report(at, format!("{name} takes other arguments")),
            Ok,
        )
    }

    /// A text as an argument.
    fn text(&mut self, node: &Node, name: &str) -> Result<Text, Reported> {
        if self.is_unknown(node) {
            return Ok(Text::Literal("".into()));
        }
        match self.operand(node)? {
            Some(Operand::Text(text)) => Ok(text),
            Some(Operand::Path(path)) => Ok(Text::Path(path)),
            Some(other) => self.report(node.at, format!("{name} takes text, not {}", noun(&other))),
            None => self.report(node.at, format!("{name} takes text, not null")),
        }
    }

    /// A number as an argument that is calculated with.
    fn factor(&mut self, node: &Node, name: &str) -> Result<Number, Reported> {
        self.number(node, name, node.at).map(number::operand)
    }

    fn time(&mut self, node: &Node, name: &str) -> Result<Time, Reported> {
        if self.is_unknown(node) {
            return Ok(Time::Now);
        }
        let operand = match self.operand(node)? {
            Some(Operand::Text(Text::Literal(text))) => Some(self.instant(&text, node.at)?),
            other => other,
        };
        match operand {
            Some(Operand::Time(time)) => Ok(time),
            Some(other) => self.report(
                node.at,
                format!("{name} takes a date or time, not {}", noun(&other)),
            ),
            None => self.report(node.at, format!("{name} takes a date or time, not null")),
        }
    }

    /// A whole number that is written out.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole and in range"
    )]
    fn whole(&mut self, node: &Node, least: f64, most: f64, what: &str) -> Result<u32, Reported> {
        match node.kind {
            NodeKind::Number(value) if value.fract() == 0.0 && (least..=most).contains(&value) => {
                Ok(value as u32)
            }
            _ => self.report(
                node.at,
                format!("{what} is written as a whole number from {least} to {most}"),
            ),
        }
    }

    /// A unit of time, in milliseconds.
    fn unit(&mut self, node: &Node) -> Result<f64, Reported> {
        const DAY: f64 = 86_400_000.0;
        let NodeKind::Text(unit) = &node.kind else {
            return self.report(node.at, "the unit is written in quotes: 'days'");
        };
        Ok(match unit.as_str() {
            "seconds" => 1_000.0,
            "minutes" => 60_000.0,
            "hours" => 3_600_000.0,
            "days" => DAY,
            "months" => 30.0 * DAY,
            "years" => 365.0 * DAY,
            _ => {
                return self.report(
                    node.at,
                    "the units are seconds, minutes, hours, days, months and years",
                );
            }
        })
    }
}

fn floor(number: Number) -> Number {
    Number::Floor(Box::new(number))
}

fn negative(number: Number) -> Number {
    Number::Negative(Box::new(number))
}

fn millis(time: Time) -> Number {
    Number::Millis(Box::new(time))
}

fn binary(op: Arithmetic, left: Number, right: Number) -> Number {
    Number::Binary {
        op,
        left: Box::new(left),
        right: Box::new(right),
    }
}

/// How many texts stand next to one another in the longest result.
fn joined(text: &Text) -> usize {
    match text {
        Text::Literal(_) | Text::Leaf(_) | Text::Path(_) | Text::Caller(_) | Text::Query(_) => 1,
        Text::Pick(pick) => pick.parts().map(joined).max().unwrap_or(1),
        Text::Concat(parts) => parts.iter().map(joined).fold(0, usize::saturating_add),
        Text::Case { text, .. } | Text::Trim(text) | Text::Substring { text, .. } => joined(text),
    }
}

/// A type of values that can be picked from.
trait Part: Sized {
    fn of(operand: Operand) -> Option<Self>;
    fn wrap(pick: Pick<Self>) -> Operand;
}

impl Part for Text {
    fn of(operand: Operand) -> Option<Self> {
        if let Operand::Text(text) = operand {
            Some(text)
        } else {
            None
        }
    }
    fn wrap(pick: Pick<Self>) -> Operand {
        Operand::Text(Self::Pick(pick))
    }
}

impl Part for Number {
    fn of(operand: Operand) -> Option<Self> {
        if let Operand::Number(number) = operand {
            Some(number)
        } else {
            None
        }
    }
    fn wrap(pick: Pick<Self>) -> Operand {
        Operand::Number(Self::Pick(pick))
    }
}

impl Part for Condition {
    fn of(operand: Operand) -> Option<Self> {
        if let Operand::Bool(condition) = operand {
            Some(*condition)
        } else {
            None
        }
    }
    fn wrap(pick: Pick<Self>) -> Operand {
        Operand::Bool(Box::new(Self::Pick(pick)))
    }
}

impl Part for Time {
    fn of(operand: Operand) -> Option<Self> {
        if let Operand::Time(time) = operand {
            Some(time)
        } else {
            None
        }
    }
    fn wrap(pick: Pick<Self>) -> Operand {
        Operand::Time(Self::Pick(pick))
    }
}

/// `None` if a part is of another type.
fn picked<T: Part>(
    condition: Option<Condition>,
    name: &str,
    parts: Vec<Option<Operand>>,
) -> Option<Operand> {
    let boxed = |part: Option<Operand>| match part {
        Some(part) => T::of(part).map(|part| Some(Box::new(part))),
        None => Some(None),
    };
    let mut parts = parts.into_iter();
    Some(T::wrap(match condition {
        Some(condition) => {
            let (then, otherwise) = (boxed(parts.next()?)?, boxed(parts.next()?)?);
            Pick::If {
                condition: Box::new(condition),
                then,
                otherwise,
            }
        }
        None if name == "nullif" => Pick::NullIf(boxed(parts.next()?)??, boxed(parts.next()?)??),
        None => Pick::Coalesce(parts.map(|part| T::of(part?)).collect::<Option<_>>()?),
    }))
}
