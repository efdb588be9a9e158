//! Households by the hundred: a register file, imported as an operator would.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use steward_proto::customer::v1::estate_import_service_client::EstateImportServiceClient;
use steward_proto::customer::v1::household_service_client::HouseholdServiceClient;
use steward_proto::customer::v1::{
    ApplyEstateImportRequest, CreateEstateImportRequest, EstateImport, EstateImportState, GetEstateImportRequest, Household,
    ListHouseholdsRequest, UploadEstateImportRequest,
};

use super::{Ground, PATIENCE, id};

/// Bytes of one part of an upload.
const PART: usize = 512 * 1024;

/// Homes of a register: so many, handed over on a day, used in a way.
#[derive(Clone, Copy)]
pub(super) struct Homes {
    pub(super) building: u32,
    pub(super) count: usize,
    pub(super) delivery_date: &'static str,
    pub(super) occupancy: &'static str,
}

impl Homes {
    /// Homes that were handed over long ago and are lived in.
    pub(super) fn lived_in(building: u32, count: usize) -> Self {
        Self { building, count, delivery_date: "2024-03-31", occupancy: "occupied" }
    }
}

/// The file: one owner a home. Phones are of the unused range of the fixtures, `start` apart for each estate of a house.
fn file(homes: &[Homes], start: usize) -> String {
    let mut text = "building,unit,delivery_date,occupancy,customer_kind,name,phone,role,from_date\n".to_owned();
    let mut phone = start;
    for Homes { building, count, delivery_date, occupancy } in homes {
        for at in 0..*count {
            let (floor, door) = (at / 10 + 1, at % 10 + 1);
            // The string takes whatever is written to it.
            let _ = writeln!(
                text,
                "{building},{floor}{door:02},{delivery_date},{occupancy},person,王{phone:04},1990000{phone:04},owner,2024-01-01"
            );
            phone += 1;
        }
    }
    text
}

impl Ground {
    /// Imports a register into an estate.
    pub(super) async fn import(&self, estate: &str, homes: &[Homes], start: usize) -> Result<()> {
        let bytes = file(homes, start).into_bytes();
        let sha256 = digest(&SHA256, &bytes).as_ref().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let mut imports = EstateImportServiceClient::new(self.gateway.clone());
        let request = CreateEstateImportRequest {
            request_id: id(),
            estate_id: estate.to_owned(),
            file_name: "register.csv".to_owned(),
            size_bytes: i64::try_from(bytes.len())?,
            sha256,
        };
        let import = imports.create_estate_import(self.operations.asks(request)).await?.into_inner().import.context("an import")?;
        let mut parts = Vec::new();
        for (at, part) in bytes.chunks(PART).enumerate() {
            let offset = i64::try_from(at * PART)?;
            parts.push(UploadEstateImportRequest { import_id: import.id.clone(), offset, data: part.to_vec().into() });
        }
        imports.upload_estate_import(self.operations.asks(tokio_stream::iter(parts))).await?;
        let planned = self.import_in(&import.id, EstateImportState::Planned).await?;
        let refused = planned.progress.as_ref().map_or(0, |progress| progress.refused_count);
        ensure!(refused == 0, "{refused} rows are refused");
        let request = ApplyEstateImportRequest { request_id: id(), import_id: import.id.clone(), etag: planned.etag };
        imports.apply_estate_import(self.operations.asks(request)).await?;
        self.import_in(&import.id, EstateImportState::Applied).await?;
        Ok(())
    }

    async fn import_in(&self, import: &str, wanted: EstateImportState) -> Result<EstateImport> {
        let begun = std::time::Instant::now();
        loop {
            let request = self.operations.asks(GetEstateImportRequest { import_id: import.to_owned() });
            let answer = EstateImportServiceClient::new(self.gateway.clone()).get_estate_import(request).await?;
            let import = answer.into_inner().import.context("an import")?;
            ensure!(import.state() != EstateImportState::Failed, "{} {}", import.failure_code, import.failure_detail);
            if import.state() == wanted {
                return Ok(import);
            }
            ensure!(begun.elapsed() < PATIENCE, "the import stays {:?}", import.state());
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// The households of an estate.
    pub(super) async fn households(&self, estate: &str) -> Result<Vec<Household>> {
        let mut request = ListHouseholdsRequest { estate_id: estate.to_owned(), page_size: 200, ..Default::default() };
        let mut all = Vec::new();
        loop {
            let mut households = HouseholdServiceClient::new(self.gateway.clone());
            let page = households.list_households(self.operations.asks(request.clone())).await?.into_inner();
            all.extend(page.households);
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
    }
}
