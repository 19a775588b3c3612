//! The names that policies use.
//!
//! Rego has no recursion, and the engine would run out of stack: a function that calls itself is found here. And the
//! engine does not follow imports to functions, and evaluates whole packages for rules behind an import: names that
//! begin with one are written out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use regorus::unstable::{Expr, Literal, Module, NodeRef, Query, Rule, RuleAssign, RuleHead};

use super::super::fault::Fault;

/// A policy's text with imported names in full. Lines stay where they are.
pub(super) fn with_full_names(text: &str, package: &str, module: &Module) -> String {
    let names = Names { package, imports: imports(module) };
    let mut uses = Uses::of(&names);
    for rule in &module.policy {
        uses.rule(rule);
    }
    let Uses { calls, bases, bare, .. } = uses;
    // A name that stands by itself may be a variable; what is called never is one.
    let bases = bases.into_iter().filter(|(name, _)| !bare.contains(name));
    let mut sites: Vec<(String, Range<usize>)> = calls.into_iter().filter_map(|call| call.base).chain(bases).collect();
    sites.sort_by_key(|(_, place)| std::cmp::Reverse(place.start));
    // A part of a rule may be reached on two ways.
    sites.dedup();
    let mut text = text.to_owned();
    for (name, place) in sites {
        if let Some(import) = names.imports.get(&name)
            && text.get(place.clone()) == Some(&name)
        {
            text.replace_range(place, &format!("data.{import}"));
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
            let Some(name) = path(refr) else { continue };
            let mut uses = Uses::of(&names);
            uses.rule(rule);
            let function = functions.entry(format!("{package}.{name}")).or_default();
            function.calls.extend(uses.calls.into_iter().map(|call| call.function));
            let span = refr.span();
            function.place.get_or_insert_with(|| (span.source.file().clone(), span.line as usize));
        }
    }
    let name = in_a_circle(&functions)?;
    let fault = Fault::new(format!("The function `{name}` calls itself."), "Rego has no recursion: use `walk`");
    let (file, line) = functions.get(name)?.place.as_ref()?;
    Some(fault.at(file, *line))
}

/// A function that can be reached from itself. Goes along each call once.
fn in_a_circle(functions: &BTreeMap<String, Function>) -> Option<&String> {
    let (mut done, mut above) = (BTreeSet::new(), BTreeSet::new());
    for start in functions.keys() {
        let mut way: Vec<(&String, _)> = Vec::new();
        let mut next = Some(start);
        loop {
            if let Some(name) = next.take() {
                if above.contains(name) {
                    return Some(name);
                }
                if let Some(function) = functions.get(name).filter(|_| !done.contains(name)) {
                    above.insert(name);
                    way.push((name, function.calls.iter()));
                }
            }
            let Some((name, calls)) = way.last_mut() else { break };
            match calls.next() {
                Some(call) => next = Some(call),
                None => {
                    above.remove(*name);
                    done.insert(*name);
                    way.pop();
                }
            }
        }
    }
    None
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

/// The name that an expression begins with, and where it stands.
pub(super) fn base(mut expr: &Expr) -> Option<(String, Range<usize>)> {
    while let Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } = expr {
        expr = refr;
    }
    let Expr::Var { span, .. } = expr else { return None };
    Some((span.text().to_owned(), span.start as usize..span.end as usize))
}

/// A call of a function of the policies, or of the language.
struct Call {
    /// Package and name.
    function: String,
    base: Option<(String, Range<usize>)>,
}

/// How names are used.
struct Uses<'n> {
    names: &'n Names<'n>,
    calls: Vec<Call>,
    /// Names that something is followed from, and where they stand.
    bases: Vec<(String, Range<usize>)>,
    /// Names that stand by themselves.
    bare: BTreeSet<String>,
}

impl<'n> Uses<'n> {
    fn of(names: &'n Names<'n>) -> Self {
        Self { names, calls: Vec::new(), bases: Vec::new(), bare: BTreeSet::new() }
    }

    fn call(&mut self, function: &Expr, is_certain: bool) {
        let Some(path) = path(function) else { return };
        let (first, rest) = path.split_once('.').map_or((path.as_str(), ""), |(first, rest)| (first, rest));
        let full = match (first, self.names.imports.get(first)) {
            ("data", _) => rest.to_owned(),
            (_, Some(import)) if rest.is_empty() => import.clone(),
            (_, Some(import)) => format!("{import}.{rest}"),
            _ => format!("{}.{path}", self.names.package),
        };
        self.calls.push(Call { function: full, base: base(function).filter(|_| is_certain) });
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
                Literal::SomeVars { vars, .. } => self.bare.extend(vars.iter().map(|name| name.text().to_owned())),
                Literal::SomeIn { key, value, collection, .. } => {
                    key.iter().chain([value, collection]).for_each(|expr| self.expr(expr));
                }
                Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.expr(expr),
                Literal::Every { key, value, domain, query, .. } => {
                    self.bare.extend(key.iter().chain([value]).map(|name| name.text().to_owned()));
                    self.expr(domain);
                    self.query(query);
                }
            }
            for with in &statement.with_mods {
                // A function may be put in another's place; or this is a value.
                self.call(&with.r#as, false);
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
            | Expr::Null { .. } => {}
            Expr::Var { span, .. } => drop(self.bare.insert(span.text().to_owned())),
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
                self.call(fcn, true);
                self.all(params);
            }
            Expr::UnaryExpr { expr, .. } => self.expr(expr),
            Expr::RefDot { refr, .. } => self.followed(refr),
            Expr::RefBrack { refr, index, .. } => {
                self.followed(refr);
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

    fn followed(&mut self, refr: &Expr) {
        match (refr, base(refr)) {
            (Expr::Var { .. }, Some(base)) => self.bases.push(base),
            _ => self.expr(refr),
        }
    }

    fn all<E: std::ops::Deref<Target = Expr>>(&mut self, exprs: &[E]) {
        exprs.iter().for_each(|expr| self.expr(expr));
    }
}
