//! The mutations of `steward.care.v1` about what is held for others: the care fund and the stock.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{Entry, with};
use crate::replay::ground::{Ground, id, id_of};

pub(super) async fn entries(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let mut all = fund(ground).await?;
    all.extend(stock(ground).await?);
    Ok(all)
}

async fn fund(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    const SERVICE: &str = "care.v1.CareFundService";
    let deposit = json!({"estateId": ground.estate, "amountCents": "1000000", "currency": "CNY", "reference": "voucher/1"});
    let commit = json!({
        "estateId": ground.estate, "projectCode": "playground", "title": "翻新儿童乐园", "useCode": "facility_upgrade",
        "amountCents": "50000", "reference": "resolution/1",
    });
    let ask = async |rpc: &str, body: &Value| ground.ask(&format!("{SERVICE}/{rpc}"), with(body, &json!({"requestId": id()}))).await;
    ask("DepositToFund", &deposit).await?;
    let of = async |rpc: &str, body: Value, other: Value| -> Result<Entry> {
        let commitment = id_of(&ask("CommitFunds", &commit).await?, "commitment")?;
        Ok(Entry::new(&format!("{SERVICE}/{rpc}"), with(&body, &json!({"commitmentId": commitment})), other))
    };
    let mistaken = id_of(&ask("CommitFunds", &commit).await?, "entry")?;
    Ok(vec![
        Entry::new(&format!("{SERVICE}/DepositToFund"), deposit.clone(), json!({"amountCents": "2000000"})),
        Entry::new(&format!("{SERVICE}/CommitFunds"), commit.clone(), json!({"amountCents": "60000"})),
        of("SpendCommitment", json!({"amountCents": "10000", "reference": "invoice/1"}), json!({"amountCents": "20000"})).await?,
        of("ReleaseCommitment", json!({"amountCents": "10000"}), json!({"amountCents": "20000"})).await?,
        Entry::new(&format!("{SERVICE}/ReverseFundEntry"), json!({"entryId": mistaken, "reason": "重复"}), json!({"reason": "错误"})),
    ])
}

async fn stock(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    const SERVICE: &str = "care.v1.StockService";
    let item = json!({
        "estateId": ground.estate, "code": "mooncakes", "nameZh": "月饼", "kind": "STOCK_ITEM_KIND_GIFT", "unitCode": "box", "lowMark": "1",
    });
    let ask = async |rpc: &str, body: Value| ground.ask(&format!("{SERVICE}/{rpc}"), with(&body, &json!({"requestId": id()}))).await;
    let kept = id_of(&ask("PutStockItem", item.clone()).await?, "item").context("an item")?;
    ask("ReceiveStock", json!({"itemId": kept, "quantity": "10"})).await?;
    let gift = || {
        json!({
            "itemId": kept, "quantity": "1", "householdId": ground.household, "subjectKind": "visit", "subjectId": id(),
            "recipientSignReference": "sign/1",
        })
    };
    let issued = id_of(&ask("IssueStock", gift()).await?, "movement")?;
    let of = |rpc: &str, body: Value, other: Value| Entry::new(&format!("{SERVICE}/{rpc}"), body, other);
    Ok(vec![
        of("PutStockItem", with(&item, &json!({"code": "tea"})), json!({"nameZh": "茶"})),
        of("ReceiveStock", json!({"itemId": kept, "quantity": "5"}), json!({"quantity": "6"})),
        of("IssueStock", gift(), json!({"quantity": "2"})),
        of("ReturnStock", json!({"movementId": issued, "reason": "不吃甜"}), json!({"reason": "搬走了"})),
        of("WriteOffStock", json!({"itemId": kept, "quantity": "1", "reason": "过期"}), json!({"quantity": "2"})),
        of("CountStock", json!({"itemId": kept, "quantity": "7"}), json!({"quantity": "6"})),
    ])
}
