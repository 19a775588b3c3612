//! Writes factories of any size as HCL that both tools read.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use clap::ValueEnum;

/// As many blocks as a file has, so that no file is out of the ordinary.
const BLOCKS_A_FILE: usize = 1000;

/// How resources depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// Each on its own
    Wide,
    /// Each on the one before it
    Chained,
    /// Layers as wide as they are many; each resource on three of the layer before
    Layered,
}

/// What the resources are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Terraform's built-in resource
    TerraformData,
    /// Machines of the sandbox, in one subnet
    Sandbox,
    /// A plugin's, the same one under both tools: `null_resource`
    Null,
}

impl Kind {
    /// Whether Terraform has it too.
    pub(crate) fn is_terraforms(self) -> bool {
        self != Self::Sandbox
    }

    /// What the table of it is called in a page.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Self::TerraformData | Self::Sandbox => "scale",
            Self::Null => "plugins",
        }
    }
}

pub(crate) struct Factory {
    pub(crate) shape: Shape,
    pub(crate) kind: Kind,
    pub(crate) size: usize,
}

impl Shape {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Chained => "chained",
            Self::Layered => "layered",
        }
    }
}

impl Factory {
    /// Writes the `.tf` files.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        if self.kind == Kind::Sandbox {
            fs::write(folder.join("network.tf"), NETWORK)?;
        }
        if self.kind == Kind::Null {
            fs::write(folder.join("providers.tf"), REQUIRED)?;
        }
        for (file, start) in (0..self.size).step_by(BLOCKS_A_FILE).enumerate() {
            let end = self.size.min(start + BLOCKS_A_FILE);
            let text: String = (start..end).map(|number| self.block(number)).collect();
            fs::write(folder.join(format!("part_{file}.tf")), text)?;
        }
        Ok(())
    }

    fn block(&self, number: usize) -> String {
        let on = self.dependencies(number);
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = match self.kind {
            Kind::TerraformData => {
                let parts: Vec<String> = on.iter().map(|on| format!("terraform_data.r{on}.id")).collect();
                write!(
                    text,
                    "resource \"terraform_data\" \"r{number}\" {{\n  input = {{\n    name = \"resource-{number}\"\n    \
                     size = {}\n    on   = [{}]\n  }}\n}}\n\n",
                    number % 7,
                    parts.join(", ")
                )
            }
            Kind::Null => {
                let parts: Vec<String> = on.iter().map(|on| format!("null_resource.r{on}.id")).collect();
                write!(
                    text,
                    "resource \"null_resource\" \"r{number}\" {{\n  triggers = {{\n    name = \"resource-{number}\"\n    \
                     on   = join(\",\", [{}])\n  }}\n}}\n\n",
                    parts.join(", ")
                )
            }
            Kind::Sandbox => {
                let parts: Vec<String> = on.iter().map(|on| format!("${{sandbox_machine.r{on}.private_ip}}")).collect();
                write!(
                    text,
                    "resource \"sandbox_machine\" \"r{number}\" {{\n  name      = \"machine-{number}\"\n  \
                     subnet_id = sandbox_subnet.main.id\n  user_data = \"peers: {}\"\n}}\n\n",
                    parts.join(" ")
                )
            }
        };
        text
    }

    /// The numbers of the resources that this one refers to.
    fn dependencies(&self, number: usize) -> Vec<usize> {
        match self.shape {
            Shape::Wide => Vec::new(),
            Shape::Chained => number.checked_sub(1).into_iter().collect(),
            Shape::Layered => {
                let width = self.size.isqrt().max(1);
                let Some(layer_before) = (number / width).checked_sub(1) else {
                    return Vec::new();
                };
                let mut on: Vec<usize> =
                    (0..3).map(|offset| layer_before * width + (number + offset * 7) % width).collect();
                on.sort_unstable();
                on.dedup();
                on
            }
        }
    }
}

const REQUIRED: &str = r#"terraform {
  required_providers {
    null = {
      source = "hashicorp/null"
    }
  }
}
"#;

const NETWORK: &str = r#"resource "sandbox_network" "main" {
  name       = "scale"
  cidr_block = "10.0.0.0/8"
}

resource "sandbox_subnet" "main" {
  network_id = sandbox_network.main.id
  cidr_block = "10.0.0.0/8"
}
"#;
