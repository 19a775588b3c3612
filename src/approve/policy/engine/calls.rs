//! The functions that policies call.
//!
//! Rego has no recursion, and the engine would run out of stack: a function that calls itself is found here. And the
//! engine does not follow imports to functions: calls through them are written out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use regorus::unstable::{Expr, Literal, Module, NodeRef, Query, Rule, RuleAssign, RuleHead};

use super::super::fault::Fault;

/// A policy's text with the names of imported functions in full. Lines stay where they are.
pub(super) fn with_full_names(text: &str, package: &str, module: &Module) -> String {
    let names = Names { package, imports: imports(module) };
    let mut sites = Calls { names: &names, found: Vec::new() };
    for rule in &module.policy {
        sites.rule(rule);
    }
    let mut imported: Vec<Call> = sites.found.into_iter().filter(|call| call.is_imported).collect();
    imported.sort_by_key(|call| std::cmp::Reverse(call.place.start));
    // A part of a rule may be reached on two ways.
    imported.dedup_by(|a, b| a.place == b.place);
    let mut text = text.to_owned();
    for call in imported {
        if text.get(call.place.clone()).is_some() {
            text.replace_range(call.place, &format!("data.{}", call.function));
        }
    }
    text
}

/// A function and those that it calls.
#[derive(Default)]
struct Function {
    calls: BTreeSet<String>,
    place: Option<(String, usize)>,
}

/// The first function that calls itself. Packages stand in the order of their modules.
pub(super) fn recursive(packages: &[String], modules: &[NodeRef<Module>]) -> Option<Fault> {
    let mut functions: BTreeMap<String, Function> = BTreeMap::new();
    for (package, module) in packages.iter().zip(modules) {
        let names = Names { package, imports: imports(module) };
        for rule in &module.policy {
            let Rule::Spec { head: RuleHead::Func { refr, .. }, .. } = &**rule else { continue };
            let Some((name, _)) = path(refr) else { continue };
            let mut calls = Calls { names: &names, found: Vec::new() };
            calls.rule(rule);
            let function = functions.entry(format!("{package}.{name}")).or_default();
            function.calls.extend(calls.found.into_iter().map(|call| call.function));
            let span = refr.span();
            function.place.get_or_insert_with(|| (span.source.file().clone(), span.line as usize));
        }
    }
    let name = functions.keys().find(|name| reaches_itself(name, &functions))?;
    let fault = Fault::new(format!("The function `{name}` calls itself."), "Rego has no recursion: use `walk`");
    let (file, line) = functions.get(name)?.place.as_ref()?;
    Some(fault.at(file, *line))
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
        let (path, _) = path(&import.refr)?;
        let last = path.rsplit('.').next()?.to_owned();
        let name = import.r#as.as_ref().map_or(last, |name| name.text().to_owned());
        Some((name, path.strip_prefix("data.")?.to_owned()))
    });
    imports.collect()
}

/// `a.b.c`, where that is what an expression says, and where it stands in its text.
pub(super) fn path(expr: &Expr) -> Option<(String, Range<usize>)> {
    match expr {
        Expr::Var { span, .. } => Some((span.text().to_owned(), span.start as usize..span.end as usize)),
        Expr::RefDot { refr, field, .. } => {
            let (path, place) = path(refr)?;
            Some((format!("{path}.{}", field.0.text()), place.start..field.0.end as usize))
        }
        Expr::RefBrack { refr, index, span, .. } => match &**index {
            Expr::String { span: text, .. } | Expr::RawString { span: text, .. } => {
                let (path, place) = path(refr)?;
                Some((format!("{path}.{}", text.text()), place.start..span.end as usize))
            }
            _ => None,
        },
        _ => None,
    }
}

/// A call of a function of the policies, or of the language.
struct Call {
    /// Package and name.
    function: String,
    is_imported: bool,
    /// Of the name, in bytes.
    place: Range<usize>,
}

struct Calls<'n> {
    names: &'n Names<'n>,
    found: Vec<Call>,
}

impl Calls<'_> {
    fn call(&mut self, function: &Expr) {
        let Some((path, place)) = path(function) else { return };
        let (first, rest) = path.split_once('.').map_or((path.as_str(), ""), |(first, rest)| (first, rest));
        let import = self.names.imports.get(first);
        let function = match (first, import) {
            ("data", _) => rest.to_owned(),
            (_, Some(import)) if rest.is_empty() => import.clone(),
            (_, Some(import)) => format!("{import}.{rest}"),
            _ => format!("{}.{path}", self.names.package),
        };
        self.found.push(Call { function, is_imported: first != "data" && import.is_some(), place });
    }

    fn rule(&mut self, rule: &Rule) {
        match rule {
            Rule::Spec { head, bodies, .. } => {
                match head {
                    RuleHead::Compr { refr, assign, .. } => self.head(refr, assign.as_ref()),
                    RuleHead::Set { refr, key, .. } => {
                        self.expr(refr);
                        key.iter().for_each(|key| self.expr(key));
                    }
                    RuleHead::Func { args, assign, refr, .. } => {
                        self.head(refr, assign.as_ref());
                        self.all(args);
                    }
                }
                for body in bodies {
                    body.assign.iter().for_each(|assign| self.expr(&assign.value));
                    self.query(&body.query);
                }
            }
            Rule::Default { value, .. } => self.expr(value),
        }
    }

    fn head(&mut self, refr: &Expr, assign: Option<&RuleAssign>) {
        self.expr(refr);
        assign.into_iter().for_each(|assign| self.expr(&assign.value));
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
