//! What systemd runs.

pub(crate) mod timer;
pub(crate) mod unit;

use crate::resource::Problems;
use formwork_contract::Value;

/// Functions of sh that both types use.
pub(crate) const SHELL: &str = include_str!("systemd.sh");

/// The name of a unit, without a path (systemd.unit(5)).
fn unit_name(problems: &mut Problems, config: &Value, suffixes: &[&str]) {
    let Some(name) = config.get_str("name") else { return };
    let fits = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    let ends = suffixes.is_empty() || suffixes.iter().any(|suffix| name.len() > suffix.len() && name.ends_with(suffix));
    if name.is_empty() || name.len() > 240 || !name.chars().all(fits) || !ends {
        let hint = match suffixes {
            [] => "use letters, digits and `:-_.@`, without a suffix",
            _ => "write it whole, such as `web.service`, `backup.timer`, `api.socket` or `data.mount`",
        };
        problems.at("name", format!("`{name}` is not the name of a unit"), hint);
    }
}
