//! The columns of a register file, by their English and Chinese names.

use super::{FileFailure, Problem, ProblemReason};
use crate::domain::text::halfwidth_char;

/// A column that the import knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it; NAMES below is what people write")]
pub enum Column {
    Building,
    Entrance,
    Unit,
    Floor,
    PremisesType,
    AreaSquareMetres,
    DeliveryDate,
    Occupancy,
    CustomerKind,
    CustomerName,
    Phone,
    Email,
    IdNumber,
    Language,
    Role,
    FromDate,
    ToDate,
}

/// What people write in headers; the first name is the one of the documentation.
const NAMES: [(Column, &[&str]); 17] = [
    (Column::Building, &["building", "楼栋", "楼号", "楼栋号", "栋"]),
    (Column::Entrance, &["entrance", "单元", "单元号"]),
    (Column::Unit, &["unit", "房号", "房间号", "室号", "房屋"]),
    (Column::Floor, &["floor", "楼层", "所在楼层"]),
    (Column::PremisesType, &["premises_type", "物业类型", "房屋类型", "业态"]),
    (Column::AreaSquareMetres, &["area_square_metres", "area_sqm", "area", "面积", "建筑面积", "面积(平方米)", "建筑面积(㎡)"]),
    (Column::DeliveryDate, &["delivery_date", "交付日期", "交房日期"]),
    (Column::Occupancy, &["occupancy", "使用状态", "入住状态", "房屋状态"]),
    (Column::CustomerKind, &["customer_kind", "客户类型"]),
    (Column::CustomerName, &["customer_name", "name", "姓名", "客户姓名", "客户名称", "名称"]),
    (Column::Phone, &["phone", "mobile", "电话", "手机", "手机号", "手机号码", "联系电话"]),
    (Column::Email, &["email", "e-mail", "邮箱", "电子邮箱", "电子邮件"]),
    (Column::IdNumber, &["id_number", "证件号", "证件号码", "身份证号"]),
    (Column::Language, &["language", "语言"]),
    (Column::Role, &["role", "身份", "角色", "与房屋关系"]),
    (Column::FromDate, &["from_date", "起始日期", "开始日期"]),
    (Column::ToDate, &["to_date", "截止日期", "结束日期"]),
];

impl Column {
    /// The name in the documentation.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(column, _)| *column == self).map_or("", |(_, names)| names[0])
    }

    fn parse(text: &str) -> Option<Self> {
        let text: String = text.chars().map(halfwidth_char).filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
        NAMES.iter().find(|(_, names)| names.contains(&text.as_str())).map(|(column, _)| *column)
    }
}

/// The header of a file: which column stands where.
#[derive(Debug)]
pub struct Header {
    names: Vec<String>,
    columns: Vec<Option<Column>>,
    ignored: Vec<String>,
}

impl Header {
    /// Reads the header line.
    ///
    /// # Errors
    /// A required column is missing, or one stands twice.
    pub fn read(cells: &[String]) -> Result<Self, FileFailure> {
        let names: Vec<String> = cells.iter().map(|cell| cell.trim().chars().take(40).collect()).collect();
        let columns: Vec<Option<Column>> = names.iter().map(|name| Column::parse(name)).collect();
        for (at, column) in columns.iter().enumerate() {
            if let Some(column) = column
                && columns[..at].contains(&Some(*column))
            {
                return Err(FileFailure::new("HEADER_COLUMN_TWICE", format!("column `{}` stands twice", column.name())));
            }
        }
        for required in [Column::Building, Column::Unit] {
            if !columns.contains(&Some(required)) {
                let detail = format!("the header has no column `{}`", required.name());
                return Err(FileFailure::new("HEADER_MISSING_COLUMN", detail));
            }
        }
        let unknown = names.iter().zip(&columns).filter(|(name, column)| column.is_none() && !name.is_empty());
        let ignored = unknown.map(|(name, _)| name.clone()).collect();
        Ok(Self { names, columns, ignored })
    }

    /// How many cells a row must have.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Where a column stands, from 0.
    pub fn position(&self, column: Column) -> Option<usize> {
        self.columns.iter().position(|known| *known == Some(column))
    }

    /// Header names that are not known.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// A problem of one cell.
    pub fn problem(&self, line: u32, column: Column, reason: ProblemReason, description: impl Into<String>) -> Problem {
        let position = self.position(column);
        Problem {
            line,
            column: position.map_or_else(|| column.name().to_owned(), |at| self.names[at].clone()),
            column_number: position.map_or(0, |at| u32::try_from(at + 1).unwrap_or(u32::MAX)),
            reason,
            description: description.into(),
        }
    }
}
