//! A form that a blueprint can have, and what is to stand when it was applied.
//!
//! What stands is worked out here anew, from the form and not from the text, so that the engine has somebody to
//! be compared with.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

/// Sizes of machines; a tag chooses one.
const SIZES: [&str; 5] = ["nano", "small", "medium", "large", "xlarge"];
/// Images of machines; a variant chooses one.
const IMAGES: [&str; 5] = ["debian-12", "ubuntu-24.04", "flatcar-4230", "rocky-10", "debian-13"];
/// How long logs are kept; a tag chooses one.
const RETENTION: [u16; 5] = [1, 7, 30, 90, 365];

/// How many secrets are planted.
pub(crate) const SECRETS: u8 = 3;

/// What every planted secret begins with; nothing else does.
pub(crate) const MARK: &str = "planted-";

pub(crate) fn secret(number: u8) -> String {
    format!("{MARK}{number}-\u{e9}t\"\\\u{e9}")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Network,
    Subnet,
    Machine,
    LogStore,
    Registry,
    Credential,
    Data,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] =
        [Self::Network, Self::Subnet, Self::Machine, Self::LogStore, Self::Registry, Self::Credential, Self::Data];

    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Network => "sandbox_network",
            Self::Subnet => "sandbox_subnet",
            Self::Machine => "sandbox_machine",
            Self::LogStore => "sandbox_log_store",
            Self::Registry => "sandbox_registry",
            Self::Credential => "sandbox_registry_credential",
            Self::Data => "terraform_data",
        }
    }

    /// What one of these stands on.
    pub(crate) fn parent(self) -> Option<Self> {
        match self {
            Self::Subnet => Some(Self::Network),
            Self::Machine => Some(Self::Subnet),
            Self::Credential => Some(Self::Registry),
            _ => None,
        }
    }
}

/// How many instances a block has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    One,
    Count(u8),
    Keys(Vec<u8>),
}

impl Repeat {
    /// The number of each instance.
    pub(crate) fn numbers(&self) -> Vec<u8> {
        match self {
            Self::One => vec![0],
            Self::Count(count) => (0..*count).collect(),
            Self::Keys(keys) => keys.clone(),
        }
    }

    /// What follows the name of a block in the address of an instance.
    pub(crate) fn key(&self, number: u8) -> String {
        match self {
            Self::One => String::new(),
            Self::Count(_) => format!("[{number}]"),
            Self::Keys(_) => format!("[\"k{number}\"]"),
        }
    }
}

/// A `resource` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub kind: Kind,
    /// Names the objects; no two blocks of a kind ever have the same.
    pub id: u8,
    /// Names the block; a move changes it.
    pub label: u8,
    pub repeat: Repeat,
    /// The id of the block of the parent's kind that it stands on; of any kind for `terraform_data`.
    pub parent: Option<(Kind, u8)>,
    /// Each other value asks for a new object.
    pub variant: u8,
    /// Each other value asks for an update.
    pub tag: u8,
    pub secret: Option<u8>,
    pub create_first: bool,
}

/// A blueprint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    /// A parent comes before its children.
    pub blocks: Vec<Block>,
    /// Labels that blocks of a kind had before: from, to.
    pub moves: Vec<(Kind, u8, u8)>,
}

/// What one attribute is to be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expected {
    Exactly(Json),
    /// The id of the object at this address.
    IdOf(String),
}

/// What is to stand at one address.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub attributes: BTreeMap<&'static str, Expected>,
}

impl Form {
    pub(crate) fn block(&self, kind: Kind, id: u8) -> Option<&Block> {
        self.blocks.iter().find(|block| block.kind == kind && block.id == id)
    }

    /// Everything that is to stand, by address.
    pub(crate) fn objects(&self) -> BTreeMap<String, Object> {
        let mut objects = BTreeMap::new();
        for block in &self.blocks {
            for number in block.repeat.numbers() {
                let attributes = self.attributes(block, number);
                objects.insert(block.address(number), Object { attributes });
            }
        }
        objects
    }

    /// The instance that an instance of a block stands on.
    pub(crate) fn stands_on(&self, block: &Block, number: u8) -> Option<String> {
        let (kind, id) = block.parent?;
        let parent = self.block(kind, id)?;
        let numbers = parent.repeat.numbers();
        Some(parent.address(numbers[usize::from(number) % numbers.len()]))
    }

    fn attributes(&self, block: &Block, number: u8) -> BTreeMap<&'static str, Expected> {
        let exactly = |json: Json| Expected::Exactly(json);
        let mut all = BTreeMap::new();
        let parent = self.stands_on(block, number);
        let mut tags = json!({ "form": format!("t{}", block.tag) });
        if let Some(secret_number) = block.secret {
            tags["secret"] = secret(secret_number).into();
        }
        if !matches!(block.kind, Kind::Credential | Kind::Data) {
            all.insert("tags", exactly(tags));
        }
        match block.kind {
            Kind::Network => {
                all.insert("name", exactly(block.name(number).into()));
                all.insert("cidr_block", exactly(format!("10.{}.0.0/16", block.variant).into()));
            }
            Kind::Subnet => {
                let network = block.parent.and_then(|(kind, id)| self.block(kind, id));
                let variant = network.map_or(0, |network| network.variant);
                let third = block.third() + number * 6;
                all.insert("cidr_block", exactly(format!("10.{variant}.{third}.0/24").into()));
                all.extend(parent.map(|address| ("network_id", Expected::IdOf(address))));
            }
            Kind::Machine => {
                all.insert("name", exactly(format!("m{}-{number}", block.id).into()));
                all.insert("size", exactly(block.size().into()));
                all.insert("image", exactly(block.image().into()));
                all.insert("user_data", exactly(block.secret.map(secret).into()));
                all.extend(parent.map(|address| ("subnet_id", Expected::IdOf(address))));
            }
            Kind::LogStore => {
                all.insert("name", exactly(block.name(number).into()));
                all.insert("retention_days", exactly(block.retention().into()));
            }
            Kind::Registry => {
                all.insert("name", exactly(block.name(number).into()));
                all.insert("immutable_tags", exactly(block.tag.is_multiple_of(2).into()));
            }
            Kind::Credential => {
                all.insert("rotation", exactly(format!("r{}", block.variant).into()));
                all.insert("description", exactly(format!("d{}", block.tag).into()));
                all.extend(parent.map(|address| ("registry_id", Expected::IdOf(address))));
            }
            Kind::Data => {
                all.insert("triggers_replace", exactly(block.variant.into()));
                all.extend(parent.map(|address| ("input", Expected::IdOf(address))));
            }
        }
        all
    }
}

impl Block {
    pub(crate) fn label(&self) -> String {
        format!("b{}", self.label)
    }

    /// The address without an instance key.
    pub(crate) fn config_address(&self) -> String {
        format!("{}.{}", self.kind.type_name(), self.label())
    }

    pub(crate) fn address(&self, number: u8) -> String {
        format!("{}{}", self.config_address(), self.repeat.key(number))
    }

    /// The name of an object whose name may stand once: another one where it is replaced.
    pub(crate) fn name(&self, number: u8) -> String {
        format!("{}{number}", self.name_prefix())
    }

    pub(crate) fn name_prefix(&self) -> String {
        format!("n{}-{}-", self.id, self.variant)
    }

    /// The third number of the first instance's block of addresses; each further one is 6 more.
    pub(crate) fn third(&self) -> u8 {
        (self.id % 10) * 24 + self.variant % 6
    }

    pub(crate) fn size(&self) -> &'static str {
        SIZES[usize::from(self.tag) % SIZES.len()]
    }

    pub(crate) fn image(&self) -> &'static str {
        IMAGES[usize::from(self.variant) % IMAGES.len()]
    }

    pub(crate) fn retention(&self) -> u16 {
        RETENTION[usize::from(self.tag) % RETENTION.len()]
    }
}
