//! Who can open what is encrypted in a record.

use serde_json::{Value as Json, json};

use super::style::{Paint, count};
use super::table::table;
use crate::plan::json::timestamp;
use crate::workflow::{KnownRecipient, Rekeyed, SecretsView};

/// The recipients as a table, and what is not as the environment says.
pub fn text(view: &SecretsView, paint: Paint) -> String {
    let rows: Vec<[String; 4]> = view.recipients.iter().map(row).collect();
    let mut out = table(["RECIPIENT", "NAME", "KEY HERE", "STATE"], &rows, paint);
    for other in &view.others_at_hand {
        out.push_str(&format!("\nAlso here, and no recipient: {other}\n"));
    }
    if let Some(last) = view.past.last() {
        let what = if last.rotated { "exchanged" } else { "encrypted anew" };
        out.push_str(&format!("\nThe key was {what} at {} by {}.\n", timestamp(last.at_ms), last.actor));
    }
    out
}

fn row(recipient: &KnownRecipient) -> [String; 4] {
    let here = if recipient.at_hand { "yes" } else { "-" };
    [recipient.key.to_string(), recipient.name.to_string(), here.into(), state(recipient).into()]
}

fn state(recipient: &KnownRecipient) -> &'static str {
    match (recipient.wrapped, recipient.named) {
        (true, Some(false)) => "can open it, and is not named any more",
        (true, _) => "can open it",
        (false, _) => "is named, and cannot open it yet",
    }
}

/// What a rekey did.
pub fn done(view: &SecretsView, done: &Rekeyed, rotated: bool, paint: Paint) -> String {
    let mut out = text(view, paint);
    out.push_str(&match rotated {
        false => "\nThe record's key is encrypted for these. Whoever could open it before knows the key still: `--rotate` exchanges it.\n".to_owned(),
        true => format!(
            "\n{} sealed with a new key. Plan files from before cannot be applied any more. Copies of the record from before are as they were.\n",
            count(done.resealed, "value")
        ),
    });
    if rotated && !done.compacted {
        out.push_str(
            "The file could not be written anew, since others use it; what was deleted in it is overwritten.\n",
        );
    }
    out
}

/// The same for machines.
pub fn to_json(view: &SecretsView) -> Json {
    let recipients = view.recipients.iter().map(|recipient| {
        json!({
            "recipient": &*recipient.key,
            "name": &*recipient.name,
            "key_at_hand": recipient.at_hand,
            "can_open": recipient.wrapped,
            "named": recipient.named,
        })
    });
    let past = view.past.iter().map(|past| {
        json!({
            "at": timestamp(past.at_ms),
            "actor": &*past.actor,
            "rotated": past.rotated,
            "key_before": &*past.key_before,
            "key_after": &*past.key_after,
            "recipients": past.recipients,
        })
    });
    json!({
        "format_version": "1.0",
        "environment": &*view.environment,
        "key": &*view.key,
        "recipients": recipients.collect::<Json>(),
        "others_at_hand": view.others_at_hand.iter().map(|key| &**key).collect::<Vec<_>>(),
        "rekeys": past.collect::<Json>(),
    })
}
