//! A form as HCL.

use crate::form::{Block, Form, Kind, Repeat};

const VARIABLES: &str = "variable \"secrets\" {\n  type      = map(string)\n  sensitive = true\n}\n";

impl Form {
    /// The blueprint's one file.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from(VARIABLES);
        for block in &self.blocks {
            text.push_str(&format!("resource \"{}\" \"{}\" {{\n", block.kind.type_name(), block.label()));
            for (name, value) in self.lines(block) {
                text.push_str(&format!("  {name} = {value}\n"));
            }
            if block.create_first {
                text.push_str("  lifecycle { create_before_destroy = true }\n");
            }
            text.push_str("}\n");
            if block.id.is_multiple_of(2) {
                text.push_str(&format!("output \"{}\" {{ value = {} }}\n", output_name(block), all_ids(block)));
            }
        }
        for (kind, from, to) in &self.moves {
            let name = kind.type_name();
            text.push_str(&format!("moved {{\n  from = {name}.b{from}\n  to   = {name}.b{to}\n}}\n"));
        }
        text
    }

    fn lines(&self, block: &Block) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        let ids = self.parent_ids(block);
        match &block.repeat {
            Repeat::One => {}
            Repeat::Count(count) => lines.push(("count", count.to_string())),
            Repeat::Keys(keys) => lines.push(("for_each", keyed(keys, &ids))),
        }
        if let (Some(attribute), Some(id)) = (parent_attribute(block.kind), parent_id(block, &ids)) {
            lines.push((attribute, id));
        }
        lines.extend(self.attribute_lines(block));
        if !matches!(block.kind, Kind::Credential | Kind::Data) {
            let secret = block.secret.map(|number| format!(", secret = var.secrets.s{number}")).unwrap_or_default();
            lines.push(("tags", format!("{{ form = \"t{}\"{secret} }}", block.tag)));
        }
        lines
    }

    fn attribute_lines(&self, block: &Block) -> Vec<(&'static str, String)> {
        let number = number_expression(&block.repeat);
        let name = || format!("\"{}${{{number}}}\"", block.name_prefix());
        match block.kind {
            Kind::Network => vec![("name", name()), ("cidr_block", format!("\"10.{}.0.0/16\"", block.variant))],
            Kind::Subnet => {
                let variant = block.parent.and_then(|(kind, id)| self.block(kind, id)).map_or(0, |found| found.variant);
                vec![("cidr_block", format!("\"10.{variant}.${{{} + {number} * 6}}.0/24\"", block.third()))]
            }
            Kind::Machine => {
                let mut lines = vec![
                    ("name", format!("\"m{}-${{{number}}}\"", block.id)),
                    ("size", format!("\"{}\"", block.size())),
                    ("image", format!("\"{}\"", block.image())),
                ];
                lines.extend(block.secret.map(|secret| ("user_data", format!("var.secrets.s{secret}"))));
                lines
            }
            Kind::LogStore => vec![("name", name()), ("retention_days", block.retention().to_string())],
            Kind::Registry => vec![("name", name()), ("immutable_tags", block.tag.is_multiple_of(2).to_string())],
            Kind::Credential => {
                vec![("rotation", format!("\"r{}\"", block.variant)), ("description", format!("\"d{}\"", block.tag))]
            }
            Kind::Data => vec![("triggers_replace", block.variant.to_string())],
        }
    }

    /// The ids of all instances of the parent, as expressions.
    fn parent_ids(&self, block: &Block) -> Vec<String> {
        let parent = block.parent.and_then(|(kind, id)| self.block(kind, id));
        parent.map_or_else(Vec::new, |parent| {
            parent.repeat.numbers().into_iter().map(|number| format!("{}.id", parent.address(number))).collect()
        })
    }
}

fn output_name(block: &Block) -> String {
    format!("{}_{}", block.kind.type_name(), block.label())
}

pub(crate) fn all_ids(block: &Block) -> String {
    match block.repeat {
        Repeat::Keys(_) => format!("values({})[*].id", block.config_address()),
        _ => format!("{}[*].id", block.config_address()),
    }
}

fn parent_attribute(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Subnet => Some("network_id"),
        Kind::Machine => Some("subnet_id"),
        Kind::Credential => Some("registry_id"),
        Kind::Data => Some("input"),
        _ => None,
    }
}

/// The parent of one instance: each takes the next one, in a circle.
fn parent_id(block: &Block, ids: &[String]) -> Option<String> {
    match (&block.repeat, ids) {
        (_, []) => None,
        (Repeat::Keys(_), _) => Some("each.value".into()),
        (_, [only]) => Some(only.clone()),
        (Repeat::One, [first, ..]) => Some(first.clone()),
        (Repeat::Count(_), several) => Some(format!("[{}][count.index % {}]", several.join(", "), several.len())),
    }
}

/// Keys with the id of the parent of each.
fn keyed(keys: &[u8], ids: &[String]) -> String {
    let entry = |key: &u8| match ids {
        [] => format!("k{key} = \"\""),
        ids => format!("k{key} = {}", ids[usize::from(*key) % ids.len()]),
    };
    format!("{{ {} }}", keys.iter().map(entry).collect::<Vec<_>>().join(", "))
}

/// The number of an instance, as an expression.
fn number_expression(repeat: &Repeat) -> &'static str {
    match repeat {
        Repeat::One => "0",
        Repeat::Count(_) => "count.index",
        Repeat::Keys(_) => "substr(each.key, 1, 1)",
    }
}
