//! The care fund (CA-81): exact, never overdrawn, and its history never changes.

use prost::Message;
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::care_fund_service_client::CareFundServiceClient;
use tokio::task::JoinSet;
use tonic::Code;
use tonic::transport::Channel;

use crate::world::{BASE, World, refused, request_id};

fn client(world: &World) -> CareFundServiceClient<Channel> {
    CareFundServiceClient::new(world.channel())
}

fn deposit_of(world: &World, amount_cents: i64) -> pb::DepositToFundRequest {
    pb::DepositToFundRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        amount_cents,
        currency: "CNY".to_owned(),
        ..Default::default()
    }
}

async fn deposit(world: &World, amount_cents: i64) -> pb::FundEntry {
    client(world).deposit_to_fund(world.manager().asks(deposit_of(world, amount_cents))).await.unwrap().into_inner().entry.unwrap()
}

fn commit_of(world: &World, amount_cents: i64) -> pb::CommitFundsRequest {
    pb::CommitFundsRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        project_code: "gym".to_owned(),
        title: "Gym".to_owned(),
        use_code: "entertainment_equipment".to_owned(),
        amount_cents,
        ..Default::default()
    }
}

async fn commit(world: &World, amount_cents: i64) -> pb::FundCommitment {
    client(world).commit_funds(world.manager().asks(commit_of(world, amount_cents))).await.unwrap().into_inner().commitment.unwrap()
}

fn spend_of(commitment: &pb::FundCommitment, amount_cents: i64) -> pb::SpendCommitmentRequest {
    pb::SpendCommitmentRequest {
        request_id: request_id(),
        commitment_id: commitment.id.clone(),
        amount_cents,
        reference: "INV-7".to_owned(),
        ..Default::default()
    }
}

async fn spend(world: &World, commitment: &pb::FundCommitment, amount_cents: i64) -> pb::FundEntry {
    client(world).spend_commitment(world.manager().asks(spend_of(commitment, amount_cents))).await.unwrap().into_inner().entry.unwrap()
}

async fn reverse(world: &World, entry_id: &str) -> Result<pb::FundEntry, tonic::Status> {
    let request =
        pb::ReverseFundEntryRequest { request_id: request_id(), entry_id: entry_id.to_owned(), reason: "entered wrongly".to_owned() };
    Ok(client(world).reverse_fund_entry(world.manager().asks(request)).await?.into_inner().entry.unwrap())
}

/// Available, committed, spent and the number of entries.
async fn balance(world: &World) -> (i64, i64, i64, i64) {
    let request = pb::GetCareFundRequest { estate_id: world.estate.to_string() };
    let fund = client(world).get_care_fund(world.steward().asks(request)).await.unwrap().into_inner().care_fund.unwrap();
    (fund.available_cents, fund.committed_cents, fund.spent_cents, fund.entry_count)
}

async fn entries(world: &World) -> Vec<pb::FundEntry> {
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let request =
            pb::ListFundEntriesRequest { page_size: 7, page_token, estate_id: world.estate.to_string(), commitment_id: String::new() };
        let page = client(world).list_fund_entries(world.steward().asks(request)).await.unwrap().into_inner();
        all.extend(page.entries);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

/// CA-81: money comes in, is committed to a project, spent and given back; each entry says how the fund stood after it; owners are told of
/// what is committed and spent.
#[tokio::test]
async fn money_moves_through_the_fund() {
    let world = World::new().await;
    let none = pb::GetCareFundRequest { estate_id: world.estate.to_string() };
    refused(client(&world).get_care_fund(world.steward().asks(none)).await, Code::NotFound, "CARE_FUND_NOT_FOUND");
    deposit(&world, 100_000).await;
    let commitment = commit(&world, 60_000).await;
    let spent = spend(&world, &commitment, 45_000).await;
    assert_eq!((spent.number, spent.available_cents, spent.committed_cents, spent.spent_cents), (3, 40_000, 15_000, 45_000));
    let release = pb::ReleaseCommitmentRequest {
        request_id: request_id(),
        commitment_id: commitment.id.clone(),
        amount_cents: 15_000,
        ..Default::default()
    };
    client(&world).release_commitment(world.manager().asks(release)).await.unwrap();
    assert_eq!(balance(&world).await, (55_000, 0, 45_000, 4));
    world.until_told("FundCommitted", 1).await;
    world.until_told("FundSpent", 1).await;
    let list = pb::ListFundCommitmentsRequest { estate_id: world.estate.to_string(), ..Default::default() };
    let commitments = client(&world).list_fund_commitments(world.steward().asks(list)).await.unwrap().into_inner().commitments;
    assert_eq!((commitments[0].remaining_cents, commitments[0].spent_cents), (0, 45_000));
}

/// CA-81: what is more than the fund has is refused, naming what it has; nothing is posted.
#[tokio::test]
async fn the_fund_is_neither_overdrawn_nor_over_committed() {
    let world = World::new().await;
    let early = client(&world).commit_funds(world.manager().asks(commit_of(&world, 1))).await;
    refused(early, Code::NotFound, "CARE_FUND_NOT_FOUND");
    deposit(&world, 100_050).await;
    let answer = client(&world).commit_funds(world.manager().asks(commit_of(&world, 100_051))).await;
    let status = refused(answer, Code::FailedPrecondition, "FUND_INSUFFICIENT");
    assert!(status.message().contains("1000.50 CNY"), "{status:?}");
    let commitment = commit(&world, 30_000).await;
    let answer = client(&world).spend_commitment(world.manager().asks(spend_of(&commitment, 30_001))).await;
    let status = refused(answer, Code::FailedPrecondition, "FUND_INSUFFICIENT");
    assert!(status.message().contains("300.00 CNY"), "{status:?}");
    assert_eq!(balance(&world).await, (70_050, 30_000, 0, 2));
    let odd = pb::CommitFundsRequest { use_code: "party".to_owned(), ..commit_of(&world, 1) };
    refused(client(&world).commit_funds(world.manager().asks(odd)).await, Code::InvalidArgument, "FUND_USE_UNKNOWN");
    let dollars = pb::DepositToFundRequest { currency: "USD".to_owned(), ..deposit_of(&world, 5) };
    refused(client(&world).deposit_to_fund(world.manager().asks(dollars)).await, Code::FailedPrecondition, "CURRENCY_DIFFERS");
    let steward = client(&world).deposit_to_fund(world.steward().asks(deposit_of(&world, 5))).await;
    refused(steward, Code::PermissionDenied, "PERMISSION_DENIED");
}

/// Where the policy names no uses, any is one.
#[tokio::test]
async fn a_policy_without_uses_allows_any() {
    let world = World::under(&[BASE]).await;
    deposit(&world, 10).await;
    commit(&world, 10).await;
}

/// CA-81: forty who commit at once out of money for ten: ten have it, thirty are refused, and the ledger has no gap.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_do_not_over_commit() {
    let world = World::new().await;
    deposit(&world, 10_000).await;
    let mut calls = JoinSet::new();
    for _ in 0..40 {
        let (mut client, asked) = (client(&world), world.manager().asks(commit_of(&world, 1_000)));
        calls.spawn(async move { client.commit_funds(asked).await });
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 10);
    for status in answers.into_iter().filter_map(Result::err) {
        assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    }
    assert_eq!(balance(&world).await, (0, 10_000, 0, 11));
    let numbers: Vec<i64> = entries(&world).await.iter().rev().map(|entry| entry.number).collect();
    assert_eq!(numbers, (1..=11).collect::<Vec<_>>());
}

/// CA-81: the balance is that of the ledger, entry by entry, after whatever was done at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_balance_follows_from_the_entry_before() {
    let world = World::new().await;
    deposit(&world, 50_000).await;
    let commitment = commit(&world, 20_000).await;
    let mut calls = JoinSet::new();
    for at in 0..30 {
        let (mut client, manager) = (client(&world), world.manager());
        let (spend, deposit, new) = (spend_of(&commitment, 900), deposit_of(&world, 700), commit_of(&world, 1_500));
        calls.spawn(async move {
            match at % 3 {
                0 => client.spend_commitment(manager.asks(spend)).await.map(drop),
                1 => client.deposit_to_fund(manager.asks(deposit)).await.map(drop),
                _ => client.commit_funds(manager.asks(new)).await.map(drop),
            }
        });
    }
    for answer in calls.join_all().await {
        answer.unwrap();
    }
    let mut all = entries(&world).await;
    all.reverse();
    let mut held = (0, 0, 0);
    for entry in &all {
        let sign = |place: pb::FundPlace| {
            let amount = entry.amount_cents;
            (if entry.to_place() == place { amount } else { 0 }) - (if entry.from_place() == place { amount } else { 0 })
        };
        use pb::FundPlace::{Available, Committed, Spent};
        held = (held.0 + sign(Available), held.1 + sign(Committed), held.2 + sign(Spent));
        assert_eq!((entry.available_cents, entry.committed_cents, entry.spent_cents), held, "entry {}", entry.number);
        assert!(held.0 >= 0 && held.1 >= 0 && held.2 >= 0);
    }
    assert_eq!(balance(&world).await, (held.0, held.1, held.2, 32));
}

/// CA-81: a mistake is undone by a counter entry, once, if what it moved is still there; a counter entry is not undone.
#[tokio::test]
async fn a_mistake_is_undone_by_a_counter_entry() {
    let world = World::new().await;
    let first = deposit(&world, 1_000).await;
    let second = deposit(&world, 500).await;
    let counter = reverse(&world, &second.id).await.unwrap();
    assert_eq!((counter.kind(), counter.reversed_entry_id.as_str()), (pb::FundEntryKind::Reversal, second.id.as_str()));
    assert_eq!((counter.from_place(), counter.to_place()), (pb::FundPlace::Available, pb::FundPlace::Outside));
    refused(reverse(&world, &second.id).await.map(tonic::Response::new), Code::FailedPrecondition, "ENTRY_REVERSED");
    refused(reverse(&world, &counter.id).await.map(tonic::Response::new), Code::FailedPrecondition, "ENTRY_REVERSED");
    let commitment = commit(&world, 800).await;
    refused(reverse(&world, &first.id).await.map(tonic::Response::new), Code::FailedPrecondition, "FUND_INSUFFICIENT");
    let spent = spend(&world, &commitment, 300).await;
    reverse(&world, &spent.id).await.unwrap();
    assert_eq!(balance(&world).await, (200, 800, 0, 6));
    refused(reverse(&world, &request_id()).await.map(tonic::Response::new), Code::NotFound, "FUND_ENTRY_NOT_FOUND");
}

/// A posting that comes again is the same entry, answered byte by byte as it was.
#[tokio::test]
async fn a_posting_that_comes_again_is_the_same() {
    let world = World::new().await;
    let request = deposit_of(&world, 1_000);
    let first = client(&world).deposit_to_fund(world.manager().asks(request.clone())).await.unwrap().into_inner();
    let commitment = commit_of(&world, 400);
    let made = client(&world).commit_funds(world.manager().asks(commitment.clone())).await.unwrap().into_inner();
    let draw = spend_of(made.commitment.as_ref().unwrap(), 400);
    let spent = client(&world).spend_commitment(world.manager().asks(draw.clone())).await.unwrap().into_inner();
    deposit(&world, 77).await;
    let again = client(&world).deposit_to_fund(world.manager().asks(request)).await.unwrap().into_inner();
    assert_eq!(again.encode_to_vec(), first.encode_to_vec());
    let again = client(&world).commit_funds(world.manager().asks(commitment)).await.unwrap().into_inner();
    assert_eq!(again.encode_to_vec(), made.encode_to_vec());
    // It would be refused now: the commitment has nothing left.
    let again = client(&world).spend_commitment(world.manager().asks(draw)).await.unwrap().into_inner();
    assert_eq!(again.encode_to_vec(), spent.encode_to_vec());
    assert_eq!(balance(&world).await, (677, 0, 400, 4));
}
