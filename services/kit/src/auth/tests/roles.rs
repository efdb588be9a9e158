use std::collections::BTreeSet;

use super::*;
use crate::Error;

fn denied(result: Result<Access, Error>) -> bool {
    matches!(result, Err(Error::PermissionDenied { .. }))
}

/// XC-31
#[test]
fn every_declared_permission_is_given_to_somebody_and_no_other() {
    let declared: BTreeSet<String> = PermissionTable::whole_suite()
        .expect("every RPC declares its permission")
        .iter()
        .map(|(_, rule)| rule.permission.clone())
        .collect();
    let given: BTreeSet<String> = Roles::built_in().iter().flat_map(|(_, role)| role.permissions.clone()).collect();
    let nobody: Vec<_> = declared.difference(&given).collect();
    let unknown: Vec<_> = given.difference(&declared).collect();
    assert!(nobody.is_empty(), "no role has {nobody:?}");
    assert!(unknown.is_empty(), "no RPC asks for {unknown:?}");
}

#[test]
fn internal_permissions_are_not_for_people_outside() {
    let table = PermissionTable::whole_suite().expect("declared");
    let internal = table.iter().filter(|(_, rule)| rule.exposure == Exposure::Internal);
    for (path, rule) in internal {
        for (name, role) in Roles::built_in().iter().filter(|(_, role)| role.permissions.contains(&rule.permission)) {
            let inside = matches!(role.kind, PrincipalKind::Service | PrincipalKind::Staff);
            assert!(inside, "{name} has {} of {path}", rule.permission);
        }
    }
}

/// CP-03
#[test]
fn who_may_look_behind_a_mask_is_written_down() {
    let roles = Roles::built_in();
    let holders: Vec<_> = roles.iter().filter(|(_, role)| role.permissions.contains("customer.reveal")).map(|(name, _)| name).collect();
    let expected =
        ["city_manager", "customer_service", "estate_manager", "group_operations", "privacy_officer", "steward", "steward_supervisor"];
    assert_eq!(holders, expected);
}

#[test]
fn the_reach_of_a_role_becomes_the_scope() {
    let roles = Roles::built_in();
    let (estate, me) = (EstateId::new(), CustomerId::new());
    let scope = |principal: &Principal| roles.authorise(principal, "work_order.read").expect("allowed").scope;

    let executive = scope(&principal(PrincipalKind::Staff, &["group_executive"], EstateSet::Some(vec![]), None));
    assert_eq!((executive.estates(), executive.own_customer()), (None, None), "a group role reaches every estate");
    let steward = scope(&principal(PrincipalKind::Staff, &["steward"], some(estate), None));
    assert_eq!((steward.estates(), steward.own_customer()), (Some(vec![estate.as_uuid()]), None));
    let resident = scope(&principal(PrincipalKind::Customer, &["resident"], some(estate), Some(me)));
    assert_eq!((resident.estates(), resident.own_customer()), (Some(vec![estate.as_uuid()]), Some(me.as_uuid())));
}

#[test]
fn the_widest_reach_that_grants_the_permission_counts() {
    let roles = Roles::load(
        "roles:\n  guest: {kind: staff, reach: own, permissions: [a.read, b.read]}\n  keeper: {kind: staff, reach: estate, permissions: [a.read]}\n",
    )
    .expect("loads");
    let both = principal(PrincipalKind::Staff, &["guest", "keeper"], some(EstateId::new()), Some(CustomerId::new()));
    assert_eq!(roles.authorise(&both, "a.read").expect("allowed").scope.own_customer(), None);
    assert!(roles.authorise(&both, "b.read").expect("allowed").scope.own_customer().is_some());
}

#[test]
fn what_is_not_granted_is_denied() {
    let roles = Roles::built_in();
    let estate = some(EstateId::new());
    let technician = principal(PrincipalKind::Staff, &["technician"], estate.clone(), None);
    assert!(denied(roles.authorise(&technician, "customer.reveal")));
    let nobody = principal(PrincipalKind::Staff, &["king"], EstateSet::All, None);
    assert!(denied(roles.authorise(&nobody, "work_order.read")));
    let anonymous = principal(PrincipalKind::Customer, &["resident"], estate.clone(), None);
    assert!(denied(roles.authorise(&anonymous, "work_order.read")), "a resident who is no customer owns nothing");
    let pretender = principal(PrincipalKind::Customer, &["group_operations", "service.notification"], estate, None);
    assert!(denied(roles.authorise(&pretender, "contact.resolve")), "a customer's token cannot hold a service's role");
    assert!(denied(roles.authorise(&pretender, "policy.manage")));
}

#[test]
fn a_faulty_role_file_is_refused() {
    assert!(matches!(Roles::load("roles: ["), Err(RolesError::Syntax(_))));
    assert!(matches!(Roles::load("roles: {a: {kind: staff, reach: far}}"), Err(RolesError::Syntax(_))));
    assert!(matches!(Roles::load("roles: {a: {kind: staff, reach: all, permission: [x]}}"), Err(RolesError::Syntax(_))));
    let include = Roles::load("roles: {a: {kind: staff, reach: all, includes: [b]}}");
    assert!(matches!(include, Err(RolesError::Include { role, included }) if role == "a" && included == "b"));
}
