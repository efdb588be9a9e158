//! The mutations of `steward.customer.v1`.

use anyhow::Result;
use serde_json::{Value, json};

use super::Entry;
use crate::replay::ground::{Ground, id};
use crate::replay::streams::{announced, planned};

pub(super) async fn entries(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let Ground { estate, building, unit, customer, .. } = ground;
    let spare = ground.a_customer("赵敏").await?;
    let tenure = ground.a_tenure(&ground.a_unit("102").await?, &spare).await?;
    let others = [an_estate(ground, "JX-3").await?, an_estate(ground, "JX-4").await?];
    let to_part = ground.make("customer.v1.EstateImportService/CreateEstateImport", "import", announced(&others[0])).await?;
    let (to_apply, to_cancel) = (planned(ground, "JX-5").await?, planned(ground, "JX-6").await?);
    let (to_pause, to_resume) = (applying(ground, "JX-7").await?, applying(ground, "JX-8").await?);
    ground.ask("customer.v1.EstateImportService/PauseEstateImport", json!({"requestId": id(), "importId": to_resume})).await?;
    let gone = ground.a_customer("孙悦").await?;
    let entry = |rpc: &str, body: Value, other: Value| Entry::new(&format!("customer.v1.{rpc}"), body, other);
    Ok(vec![
        entry("EstateService/RegisterEstate", without_id(ground.an_estate("JX-2")), json!({"name": "别的花园"})),
        entry(
            "EstateService/UpdateEstate",
            json!({"estateId": estate, "updateMask": "name", "name": "锦绣花园二期"}),
            json!({"name": "锦绣花园三期"}),
        ),
        entry("UnitService/CreateBuilding", json!({"estateId": estate, "code": "2"}), json!({"code": "3"})),
        entry("UnitService/CreateEntrance", json!({"buildingId": building, "code": "1"}), json!({"code": "2"})),
        entry("UnitService/CreateUnit", json!({"buildingId": building, "code": "201"}), json!({"code": "202"})),
        entry("UnitService/UpdateUnit", json!({"unitId": unit, "updateMask": "floor", "floor": 1}), json!({"floor": 2})),
        entry(
            "CustomerService/CreateCustomer",
            json!({
                "kind": "CUSTOMER_KIND_PERSON", "homeEstateId": estate, "name": "李雷", "phone": "13800138001",
                "source": "DATA_SOURCE_STAFF",
            }),
            json!({"name": "韩梅"}),
        ),
        entry(
            "CustomerService/UpdateCustomer",
            json!({"customerId": customer, "updateMask": "preferredLanguage", "preferredLanguage": "en"}),
            json!({"preferredLanguage": "zh-CN"}),
        ),
        entry(
            "TenureService/CreateTenure",
            json!({"unitId": unit, "customerId": spare, "role": "TENURE_ROLE_FAMILY_MEMBER", "fromDate": "2025-01-01"}),
            json!({"fromDate": "2025-02-01"}),
        ),
        entry(
            "ExitService/RecordExit",
            json!({"estateId": estate, "customerId": customer, "kind": "EXIT_KIND_CLUB_LAPSED", "exitDate": "2026-06-30"}),
            json!({"exitDate": "2026-07-31"}),
        ),
        entry("TenureService/EndTenure", json!({"tenureId": tenure, "toDate": "2026-07-01"}), json!({"toDate": "2026-07-02"})),
        entry("EstateImportService/CreateEstateImport", without_id(announced(&others[1])), json!({"fileName": "other.csv"})),
        // Base64 in JSON: the first bytes of a register.
        entry(
            "EstateImportService/AppendEstateImport",
            json!({"importId": to_part, "offset": "0", "data": "5qW85qCL"}),
            json!({"data": "5Y2V5YWD"}),
        ),
        entry("EstateImportService/ApplyEstateImport", json!({"importId": to_apply}), json!({"importId": id()})),
        entry("EstateImportService/CancelEstateImport", json!({"importId": to_cancel}), json!({"importId": id()})),
        entry("EstateImportService/PauseEstateImport", json!({"importId": to_pause}), json!({"importId": id()})),
        entry("EstateImportService/ResumeEstateImport", json!({"importId": to_resume}), json!({"importId": id()})),
        entry(
            "CustomerService/EraseCustomer",
            json!({"customerId": gone, "basis": "ERASURE_BASIS_PERSON_REQUEST", "reason": "asked for it"}),
            json!({"reason": "asked for it twice"}),
        ),
    ])
}

/// An estate of its own: an import keeps its estate.
async fn an_estate(ground: &Ground<'_, '_>, code: &str) -> Result<String> {
    ground.make("customer.v1.EstateService/RegisterEstate", "estate", ground.an_estate(code)).await
}

/// An import that applies, put there by hand: a real one is done before anybody can pause it.
async fn applying(ground: &Ground<'_, '_>, code: &str) -> Result<String> {
    let import = planned(ground, code).await?;
    let db = ground.caller.house().database.superuser().await?;
    sqlx::query("UPDATE customer.estate_imports SET state = 'applying' WHERE id = $1::uuid").bind(&import).execute(&db).await?;
    db.close().await;
    Ok(import)
}

fn without_id(mut body: Value) -> Value {
    body.as_object_mut().map(|fields| fields.remove("requestId"));
    body
}
