//! The RPCs of `CareFundService`.

use steward_kit::error::Violations;
use steward_kit::proto::to_timestamp;
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::care_fund_service_server::CareFundService;
use tonic::{Request, Response};
use uuid::Uuid;

use super::request::{call, id, page, received, text};
use super::{Answer, Edge};
use crate::app::{FundAnswer, NewCommitment};
use crate::contract::Code;
use crate::domain::care_fund::{Commitment, Entry, Posting};
use crate::domain::community_codes::FundEntryKind as Kind;

/// The entry's id in an answer.
fn id_of(entry: Option<&pb::FundEntry>) -> Option<Uuid> {
    Uuid::try_parse(&entry?.id).ok()
}

#[tonic::async_trait]
impl CareFundService for Edge {
    async fn deposit_to_fund(&self, request: Request<pb::DepositToFundRequest>) -> Answer<pb::DepositToFundResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "DepositToFund", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let estate = bad.build(|| estate)?;
        let posting = Posting::new(Kind::Deposit, request.amount_cents, request.reference, request.reason)?;
        let answer = FundAnswer {
            of: |row: &Entry| pb::DepositToFundResponse { entry: Some(encode(row)) },
            entry_id: |stored: &pb::DepositToFundResponse| id_of(stored.entry.as_ref()),
        };
        Ok(Response::new(self.app.deposit_to_fund(&call, estate, &request.currency, posting, answer).await?))
    }

    async fn commit_funds(&self, request: Request<pb::CommitFundsRequest>) -> Answer<pb::CommitFundsResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CommitFunds", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let estate = bad.build(|| estate)?;
        let new = NewCommitment {
            project_code: request.project_code,
            title: request.title,
            use_code: request.use_code,
            amount: request.amount_cents,
            reference: request.reference,
            reason: request.reason,
        };
        let answer = |made: &Commitment, row: &Entry| pb::CommitFundsResponse {
            commitment: Some(encode_commitment(made)),
            entry: Some(encode(row)),
        };
        let entry_id = |stored: &pb::CommitFundsResponse| id_of(stored.entry.as_ref());
        Ok(Response::new(self.app.commit_funds(&call, estate, new, answer, entry_id).await?))
    }

    async fn spend_commitment(&self, request: Request<pb::SpendCommitmentRequest>) -> Answer<pb::SpendCommitmentResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "SpendCommitment", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "commitment_id", &request.commitment_id);
        let id = bad.build(|| id)?;
        let posting = Posting::new(Kind::Spending, request.amount_cents, request.reference, request.reason)?;
        let answer = FundAnswer {
            of: |row: &Entry| pb::SpendCommitmentResponse { entry: Some(encode(row)) },
            entry_id: |stored: &pb::SpendCommitmentResponse| id_of(stored.entry.as_ref()),
        };
        Ok(Response::new(self.app.draw_on_commitment(&call, id, posting, answer).await?))
    }

    async fn release_commitment(&self, request: Request<pb::ReleaseCommitmentRequest>) -> Answer<pb::ReleaseCommitmentResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "ReleaseCommitment", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "commitment_id", &request.commitment_id);
        let id = bad.build(|| id)?;
        let posting = Posting::new(Kind::Release, request.amount_cents, String::new(), request.reason)?;
        let answer = FundAnswer {
            of: |row: &Entry| pb::ReleaseCommitmentResponse { entry: Some(encode(row)) },
            entry_id: |stored: &pb::ReleaseCommitmentResponse| id_of(stored.entry.as_ref()),
        };
        Ok(Response::new(self.app.draw_on_commitment(&call, id, posting, answer).await?))
    }

    async fn reverse_fund_entry(&self, request: Request<pb::ReverseFundEntryRequest>) -> Answer<pb::ReverseFundEntryResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "ReverseFundEntry", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "entry_id", &request.entry_id);
        let id = bad.build(|| id)?;
        let answer = FundAnswer {
            of: |row: &Entry| pb::ReverseFundEntryResponse { entry: Some(encode(row)) },
            entry_id: |stored: &pb::ReverseFundEntryResponse| id_of(stored.entry.as_ref()),
        };
        Ok(Response::new(self.app.reverse_fund_entry(&call, id, &request.reason, answer).await?))
    }

    async fn get_care_fund(&self, request: Request<pb::GetCareFundRequest>) -> Answer<pb::GetCareFundResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let fund = self.app.care_fund(&access, bad.build(|| estate)?).await?;
        let care_fund = pb::CareFund {
            estate_id: fund.estate_id.to_string(),
            currency: fund.currency,
            available_cents: fund.balance.available,
            committed_cents: fund.balance.committed,
            spent_cents: fund.balance.spent,
            entry_count: fund.entry_count,
            update_time: Some(to_timestamp(fund.update_time)),
        };
        Ok(Response::new(pb::GetCareFundResponse { care_fund: Some(care_fund) }))
    }

    async fn list_fund_entries(&self, request: Request<pb::ListFundEntriesRequest>) -> Answer<pb::ListFundEntriesResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let commitment = if request.commitment_id.is_empty() { None } else { id(&mut bad, "commitment_id", &request.commitment_id) };
        let (app, estate) = (&self.app, bad.build(|| estate)?);
        let page =
            page!(self, "ListFundEntries", request, |page| app.list_fund_entries(&access, estate, commitment, &page), |row: &Entry| row
                .number);
        let entries = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListFundEntriesResponse { entries, next_page_token: page.next_page_token }))
    }

    async fn list_fund_commitments(&self, request: Request<pb::ListFundCommitmentsRequest>) -> Answer<pb::ListFundCommitmentsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let (app, estate) = (&self.app, bad.build(|| estate)?);
        let place = |row: &Commitment| row.id;
        let page = page!(self, "ListFundCommitments", request, |page| app.list_fund_commitments(&access, estate, &page), place);
        let commitments = page.rows.iter().map(encode_commitment).collect();
        Ok(Response::new(pb::ListFundCommitmentsResponse { commitments, next_page_token: page.next_page_token }))
    }
}

fn encode(row: &Entry) -> pb::FundEntry {
    let posting = &row.posting;
    pb::FundEntry {
        id: row.id.to_string(),
        estate_id: row.estate_id.to_string(),
        number: row.number,
        kind: posting.kind.number(),
        from_place: posting.from.number(),
        to_place: posting.to.number(),
        amount_cents: posting.amount,
        currency: row.currency.clone(),
        commitment_id: text(posting.commitment),
        reversed_entry_id: text(posting.reversed),
        reference: posting.reference.clone(),
        reason: posting.reason.clone(),
        actor_subject: row.actor_subject.clone(),
        available_cents: row.after.available,
        committed_cents: row.after.committed,
        spent_cents: row.after.spent,
        post_time: Some(to_timestamp(row.post_time)),
    }
}

fn encode_commitment(row: &Commitment) -> pb::FundCommitment {
    pb::FundCommitment {
        id: row.id.to_string(),
        estate_id: row.estate_id.to_string(),
        project_code: row.project_code.clone(),
        title: row.title.clone(),
        use_code: row.use_code.clone(),
        remaining_cents: row.remaining,
        spent_cents: row.spent,
        create_time: Some(to_timestamp(row.create_time)),
    }
}
