//! What left the house: mails and calls. Each delivery that counts as made arrived, under one id.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use sqlx::PgPool;
use steward_harness::{MailSink, WebhookSink};

use super::{Counted, Sort};

pub(super) async fn take(db: &PgPool, mail: &MailSink, webhooks: &WebhookSink) -> Result<Vec<Counted>> {
    let mails = mail.mails().into_iter().filter_map(|mail| {
        let id = mail.header("Message-ID")?;
        Some(id.trim_start_matches('<').split('@').next()?.to_owned())
    });
    let calls = webhooks.requests().into_iter().map(|call| call.header("webhook-id").to_owned());
    let compared = [("mails", "email", mails.collect()), ("calls of webhooks", "webhook", calls.collect::<Vec<String>>())];
    let mut all = Vec::new();
    for (check, channel, arrived) in compared {
        all.push(compare(db, check, channel, arrived).await?);
    }
    Ok(all)
}

async fn compare(db: &PgPool, check: &'static str, channel: &str, arrived: Vec<String>) -> Result<Counted> {
    let made: Vec<(String, String)> = sqlx::query_as("SELECT id::text, state FROM notification.deliveries WHERE channel = $1")
        .bind(channel)
        .fetch_all(db)
        .await
        .context("reading the deliveries")?;
    // The same id twice is one delivery whose first answer was lost: the other side can tell, as the contract says.
    let mut counts: BTreeMap<String, (i64, i64)> = arrived.into_iter().map(|id| (id, (0, 1))).collect();
    for (id, state) in made {
        let count = counts.entry(id).or_default();
        let is_made = ["sent", "delivered", "read"].contains(&state.as_str());
        // One that arrived and is tried again, or was given up, may have arrived.
        count.0 = if is_made { 1 } else { count.1 };
    }
    let looked_at = i64::try_from(counts.len())?;
    let off = counts.into_iter().filter(|(_, (expected, found))| expected != found);
    Ok(Counted { check, sort: Sort::Obligation, looked_at, off: off.map(|(id, (expected, found))| (id, expected, found)).collect() })
}
