//! A `release` block beside a form: a first wave, and a gate behind it.

use crate::form::Form;

/// What stands behind the first wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// A condition over fresh live data that holds.
    Holds,
    /// One that never does.
    Fails,
    /// Longer than a lease lives by itself.
    Soaks,
    /// A person lets the rest begin.
    Person,
}

/// Which block goes first, in a circle, and what stands behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    pub first: u8,
    pub gate: Gate,
}

impl Release {
    pub(crate) const FILE: &'static str = "release.hcl";

    /// The file's text; nothing for a form without blocks.
    pub(crate) fn text(self, form: &Form) -> String {
        let Some(first) = form.blocks.get(usize::from(self.first) % form.blocks.len().max(1)) else {
            return String::new();
        };
        let ids = crate::text::all_ids(first);
        let condition = |holds: &str| {
            format!("condition = length({ids}) {holds}\n      error_message = \"as the seed says\"\n      attempts = 2")
        };
        let gate = match self.gate {
            Gate::Holds => condition("> 0"),
            Gate::Fails => condition("< 0"),
            Gate::Soaks => "soak = \"3m\"".into(),
            Gate::Person => "approval {}".into(),
        };
        format!(
            "release {{\n  wave \"first\" {{\n    targets = [{}]\n    gate \"behind\" {{\n      {gate}\n    }}\n  }}\n  \
             wave \"rest\" {{}}\n}}\n",
            first.config_address()
        )
    }
}
