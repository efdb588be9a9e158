//! From cells to values; every bad cell of a row is told, not the first only.

use jiff::civil::Date;
use steward_kit::pii::Phone;

use super::columns::{Column, Header};
use super::problem::{Problem, ProblemReason};
use crate::domain::customer::{CustomerKind, Language};
use crate::domain::identity::normalised_id_number;
use crate::domain::premises::{Occupancy, PremisesType};
use crate::domain::tenure::TenureRole;
use crate::domain::text::{normalised, normalised_code};

/// The cells of one row, with the problems found so far.
pub(super) struct Cells<'a> {
    pub(super) header: &'a Header,
    pub(super) line: u32,
    pub(super) cells: &'a [String],
    pub(super) problems: Vec<Problem>,
}

impl Cells<'_> {
    /// The text of a cell, in one spelling; empty when the cell or the column is not there.
    pub(super) fn text(&mut self, column: Column, most: usize) -> String {
        let text = normalised(self.raw(column));
        self.bounded(column, text, most)
    }

    /// A building's, entrance's or unit's code.
    pub(super) fn code(&mut self, column: Column) -> String {
        let code = normalised_code(self.raw(column));
        self.bounded(column, code, 20)
    }

    pub(super) fn refuse(&mut self, column: Column, reason: ProblemReason, description: impl Into<String>) {
        self.problems.push(self.header.problem(self.line, column, reason, description));
    }

    pub(super) fn missing(&mut self, column: Column, why: &str) {
        self.refuse(column, ProblemReason::ValueMissing, why);
    }

    pub(super) fn floor(&mut self) -> Option<i32> {
        self.number(Column::Floor, "a whole number from -20 to 200", |text| {
            let text = text.trim_end_matches(['层', 'F', 'f', '楼']);
            text.parse().ok().filter(|floor| (-20..=200).contains(floor))
        })
    }

    pub(super) fn area(&mut self) -> Option<f64> {
        self.number(Column::AreaSquareMetres, "a number from 0 to 1000000", |text| {
            let text = text.trim_end_matches(['㎡', '平']).replace(',', "");
            text.trim_end_matches("m²").parse().ok().filter(|area| (0.0..=1_000_000.0).contains(area))
        })
    }

    fn number<T>(&mut self, column: Column, allowed: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text(column, 20);
        if text.is_empty() {
            return None;
        }
        let number = read(&text);
        if number.is_none() {
            self.refuse(column, ProblemReason::NumberInvalid, format!("must be {allowed}"));
        }
        number
    }

    /// `2026-02-28`, and the ways in which spreadsheets write it: `2026/2/28`, `2026.2.28`, `2026年2月28日`.
    pub(super) fn date(&mut self, column: Column) -> Option<Date> {
        let text = self.text(column, 20);
        if text.is_empty() {
            return None;
        }
        let parts: Vec<i16> = text
            .trim_end_matches('日')
            .split(['-', '/', '.', '年', '月'])
            .map(|part| part.trim().parse().ok())
            .collect::<Option<_>>()
            .unwrap_or_default();
        let date = match parts.as_slice() {
            [year @ 1900..=2200, month, day] => {
                i8::try_from(*month).ok().zip(i8::try_from(*day).ok()).and_then(|(month, day)| Date::new(*year, month, day).ok())
            }
            [..] => None,
        };
        if date.is_none() {
            self.refuse(column, ProblemReason::DateInvalid, "must be a date written YYYY-MM-DD");
        }
        date
    }

    pub(super) fn phone(&mut self) -> Option<Phone> {
        let text = self.text(Column::Phone, 30);
        if text.is_empty() {
            return None;
        }
        let phone = Phone::parse(&text).ok();
        if phone.is_none() {
            let allowed = "must be a mainland mobile, a landline with its area code, or a 400 number";
            self.refuse(Column::Phone, ProblemReason::PhoneInvalid, allowed);
        }
        phone
    }

    pub(super) fn email(&mut self) -> Option<String> {
        let text = self.text(Column::Email, 254).to_lowercase();
        if text.is_empty() {
            return None;
        }
        if !steward_proto::is_email(&text) {
            self.refuse(Column::Email, ProblemReason::EmailInvalid, "must be an e-mail address such as name@example.com");
            return None;
        }
        Some(text)
    }

    pub(super) fn id_number(&mut self, kind: CustomerKind) -> Option<String> {
        let text = self.text(Column::IdNumber, 30);
        if text.is_empty() {
            return None;
        }
        let number = normalised_id_number(kind, &text);
        if number.is_none() {
            let allowed = "must be an identity number with a right check digit, or the number of another document";
            self.refuse(Column::IdNumber, ProblemReason::IdNumberInvalid, allowed);
        }
        number
    }

    pub(super) fn premises_type(&mut self) -> Option<PremisesType> {
        self.word(Column::PremisesType, "residential 住宅, commercial 商业", |word| match word {
            "住宅" => Some(PremisesType::Residential),
            "商业" | "商铺" | "办公" | "写字楼" => Some(PremisesType::Commercial),
            _ => PremisesType::parse(word),
        })
    }

    pub(super) fn occupancy(&mut self) -> Option<Occupancy> {
        let allowed = "undelivered 未交付, delivered_not_moved_in 未入住, renovating 装修中, occupied 已入住, leased 出租, vacant 空置";
        self.word(Column::Occupancy, allowed, |word| match word {
            "未交付" => Some(Occupancy::Undelivered),
            "已交付未入住" | "未入住" => Some(Occupancy::DeliveredNotMovedIn),
            "装修中" | "装修" | "装修期" => Some(Occupancy::Renovating),
            "已入住" | "入住" | "自住" => Some(Occupancy::Occupied),
            "出租" | "已出租" => Some(Occupancy::Leased),
            "空置" => Some(Occupancy::Vacant),
            _ => Occupancy::parse(word).filter(|occupancy| *occupancy != Occupancy::Unspecified),
        })
    }

    pub(super) fn customer_kind(&mut self) -> Option<CustomerKind> {
        self.word(Column::CustomerKind, "person 个人, organisation 单位", |word| match word {
            "个人" => Some(CustomerKind::Person),
            "单位" | "企业" | "公司" | "组织" | "organization" => Some(CustomerKind::Organisation),
            _ => CustomerKind::parse(word),
        })
    }

    pub(super) fn language(&mut self) -> Option<Language> {
        self.word(Column::Language, "zh-CN, en", |word| match word {
            "zh-cn" | "zh" | "中文" => Some(Language::Chinese),
            "英文" | "英语" => Some(Language::English),
            _ => Language::parse(word),
        })
    }

    pub(super) fn role(&mut self) -> Option<TenureRole> {
        let allowed =
            "owner 业主, co_owner 共有人, family_member 家庭成员, tenant 租户, occupant 使用人, agent 代理人, company_contact 单位联系人";
        self.word(Column::Role, allowed, |word| match word {
            "业主" | "产权人" => Some(TenureRole::Owner),
            "共有人" | "共同业主" => Some(TenureRole::CoOwner),
            "家庭成员" | "家属" => Some(TenureRole::FamilyMember),
            "租户" | "租客" | "承租人" => Some(TenureRole::Tenant),
            "使用人" | "住户" => Some(TenureRole::Occupant),
            "代理人" => Some(TenureRole::Agent),
            "单位联系人" | "企业联系人" => Some(TenureRole::CompanyContact),
            _ => TenureRole::parse(word),
        })
    }

    fn word<T>(&mut self, column: Column, allowed: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text(column, 40).to_lowercase();
        if text.is_empty() {
            return None;
        }
        let word = read(&text);
        if word.is_none() {
            self.refuse(column, ProblemReason::WordUnknown, format!("must be one of: {allowed}"));
        }
        word
    }

    fn raw(&self, column: Column) -> &str {
        self.header.position(column).and_then(|at| self.cells.get(at)).map_or("", String::as_str)
    }

    fn bounded(&mut self, column: Column, text: String, most: usize) -> String {
        if text.chars().count() > most {
            self.refuse(column, ProblemReason::ValueTooLong, format!("must be at most {most} characters"));
            return String::new();
        }
        text
    }
}
