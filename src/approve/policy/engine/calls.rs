//! Finds functions that call themselves, directly or not: Rego has no recursion, and the engine would run out
//! of stack.

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{Expr, Literal, Module, Query, Rule, RuleHead};

use super::super::fault::Fault;

/// A function and those that it calls.
#[derive(Default)]
struct Function {
    calls: BTreeSet<String>,
    place: Option<(String, usize, usize)>,
}

/// The first function that calls itself. Packages stand in the order of their modules.
pub(super) fn recursive(packages: &[String], modules: &[regorus::unstable::NodeRef<Module>]) -> Option<Fault> {
    let mut functions: BTreeMap<String, Function> = BTreeMap::new();
    for (package, module) in packages.iter().zip(modules) {
        let names = Names { package, imports: imports(module) };
        for rule in &module.policy {
            let Rule::Spec { head: RuleHead::Func { refr, args, assign, .. }, bodies, .. } = &**rule else { continue };
            let mut found = Calls { names: &names, found: BTreeSet::new() };
            args.iter().for_each(|argument| found.expr(argument));
            assign.iter().for_each(|assign| found.expr(&assign.value));
            for body in bodies {
                body.assign.iter().for_each(|assign| found.expr(&assign.value));
                found.query(&body.query);
            }
            let span = refr.span();
            let function = functions.entry(format!("{package}.{}", span.text())).or_default();
            function.calls.append(&mut found.found);
            function.place.get_or_insert_with(|| (span.source.file().clone(), span.line as usize, span.col as usize));
        }
    }
    let name = functions.keys().find(|name| reaches_itself(name, &functions))?;
    let fault = Fault::new(format!("The function `{name}` calls itself."), "Rego has no recursion: use `walk`");
    let (file, line, column) = functions.get(name)?.place.as_ref()?;
    Some(fault.at(file, *line, *column))
}

fn reaches_itself(name: &str, functions: &BTreeMap<String, Function>) -> bool {
    let calls = |name: &str| functions.get(name).into_iter().flat_map(|function| &function.calls);
    let mut queue: Vec<&String> = calls(name).collect();
    let mut seen: BTreeSet<&String> = queue.iter().copied().collect();
    while let Some(next) = queue.pop() {
        if next == name {
            return true;
        }
        queue.extend(calls(next).filter(|call| seen.insert(call)));
    }
    false
}

/// What names mean in a module.
struct Names<'m> {
    package: &'m str,
    /// What a name stands for, without `data.`.
    imports: BTreeMap<String, String>,
}

fn imports(module: &Module) -> BTreeMap<String, String> {
    let imports = module.imports.iter().filter_map(|import| {
        let path = path(&import.refr)?;
        let last = path.rsplit('.').next()?.to_owned();
        let name = import.r#as.as_ref().map_or(last, |name| name.text().to_owned());
        Some((name, path.strip_prefix("data.")?.to_owned()))
    });
    imports.collect()
}

/// `a.b.c`, where that is what an expression says.
fn path(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Var { span, .. } => Some(span.text().to_owned()),
        Expr::RefDot { refr, field, .. } => Some(format!("{}.{}", path(refr)?, field.0.text())),
        Expr::RefBrack { refr, index, .. } => match &**index {
            Expr::String { span, .. } | Expr::RawString { span, .. } => {
                Some(format!("{}.{}", path(refr)?, span.text()))
            }
            _ => None,
        },
        _ => None,
    }
}

struct Calls<'n> {
    names: &'n Names<'n>,
    found: BTreeSet<String>,
}

impl Calls<'_> {
    fn call(&mut self, function: &Expr) {
        let Some(path) = path(function) else { return };
        let (first, rest) = path.split_once('.').map_or((path.as_str(), ""), |(first, rest)| (first, rest));
        let full = match (first, self.names.imports.get(first)) {
            ("data", _) => rest.to_owned(),
            (_, Some(import)) if rest.is_empty() => import.clone(),
            (_, Some(import)) => format!("{import}.{rest}"),
            _ => format!("{}.{path}", self.names.package),
        };
        self.found.insert(full);
    }

    fn query(&mut self, query: &Query) {
        for statement in &query.stmts {
            match &statement.literal {
                Literal::SomeVars { .. } => {}
                Literal::SomeIn { key, value, collection, .. } => {
                    key.iter().chain([value, collection]).for_each(|expr| self.expr(expr));
                }
                Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.expr(expr),
                Literal::Every { domain, query, .. } => {
                    self.expr(domain);
                    self.query(query);
                }
            }
            for with in &statement.with_mods {
                // A function may be put in another's place.
                self.call(&with.r#as);
                self.expr(&with.r#as);
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. }
            | Expr::Var { .. } => {}
            Expr::Array { items, .. } | Expr::Set { items, .. } => self.all(items),
            Expr::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
                self.expr(key);
                self.expr(value);
            }),
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.expr(term);
                self.query(query);
            }
            Expr::ObjectCompr { key, value, query, .. } => {
                self.expr(key);
                self.expr(value);
                self.query(query);
            }
            Expr::Call { fcn, params, .. } => {
                self.call(fcn);
                self.all(params);
            }
            Expr::UnaryExpr { expr, .. } => self.expr(expr),
            Expr::RefDot { refr, .. } => self.expr(refr),
            Expr::RefBrack { refr, index, .. } => {
                self.expr(refr);
                self.expr(index);
            }
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::AssignExpr { lhs, rhs, .. } => {
                self.expr(lhs);
                self.expr(rhs);
            }
            Expr::Membership { key, value, collection, .. } => {
                key.iter().chain([value, collection]).for_each(|expr| self.expr(expr));
            }
        }
    }

    fn all<E: std::ops::Deref<Target = Expr>>(&mut self, exprs: &[E]) {
        exprs.iter().for_each(|expr| self.expr(expr));
    }
}
