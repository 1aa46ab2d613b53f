-- Atomic: the engine in which refreshable views and EXCHANGE TABLES work.
CREATE DATABASE IF NOT EXISTS {database_name:Identifier} ENGINE = Atomic
