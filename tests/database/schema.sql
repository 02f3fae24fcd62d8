-- What dumps get wrong, in the shape of Boundary's own schema: keys made by functions, wrapped secrets, history.
create extension citext;
create extension pgcrypto;

create table boundary_schema_version (edition text primary key, version bigint not null);
insert into boundary_schema_version values ('oss', 98003);

create domain wt_public_id as text check (length(trim(value)) > 10);
create type session_state as enum ('pending', 'active', 'canceling', 'terminated');
create sequence audit_seq start 1000 increment 7 cycle maxvalue 5000;

create table iam_scope (
  public_id wt_public_id primary key,
  parent_id wt_public_id references iam_scope (public_id) deferrable initially deferred,
  name citext,
  folded text generated always as (lower(name::text) || '/' || public_id) stored,
  attributes jsonb not null default '{}',
  created timestamptz(6) not null default now(),
  unique (parent_id, name)
);
create table kms_data_key_version (
  id bigint generated always as identity (start 4000000000) primary key,
  scope_id wt_public_id not null references iam_scope on delete cascade,
  key bytea not null,
  digest bytea generated always as (sha256(key)) stored
);
create table session (
  id uuid primary key default gen_random_uuid(),
  scope_id wt_public_id not null references iam_scope,
  state session_state not null default 'pending',
  bytes numeric(38, 9),
  ratio double precision,
  took interval,
  valid tstzrange,
  address inet,
  labels text[],
  note text
);
create table "session history" (like session including defaults including constraints, "select" integer) partition by range ("select");
create table "history, early" partition of "session history" for values from (minvalue) to (2500);
create table "history, late" partition of "session history" for values from (2500) to (maxvalue);
create unlogged table cache (key text, value text);
create table attachment (name text primary key, content oid not null);
create table nothing ();
create table empty (id integer);

create function immutable_key() returns trigger language plpgsql as $$
begin
  if new.public_id is distinct from old.public_id then
    raise exception 'immutable column: %.public_id', tg_table_name;
  end if;
  return new;
end
$$;
create trigger immutable_columns before update on iam_scope for each row execute function immutable_key();
create view active as select id, scope_id from session where state = 'active';
create materialized view counted as select state, count(*) from session group by state;
create index note_words on session using gin (to_tsvector('simple', coalesce(note, '')));
create index "mixed Case" on session (scope_id) where state <> 'terminated';

insert into iam_scope (public_id, parent_id, name, attributes)
select 'o_' || lpad(i::text, 10, '0'),
       case when i > 0 then 'o_' || lpad((i / 10)::text, 10, '0') end,
       (array['Grün', 'naïve', '日本語', 'Ω' || chr(9) || 'tab', e'line\nbreak', '\N', '\.', 'ﬁ🔐', 'q''u"o', ''])[i % 10 + 1] || i,
       jsonb_build_object('n', i, 'deep', jsonb_build_array(null, 1.50, e'\u0001 \\ "', '日本'), 'e', i % 2 = 0)
from generate_series(0, 1999) i;
insert into kms_data_key_version (scope_id, key)
select 'o_' || lpad((i % 2000)::text, 10, '0'), case when i = 7 then '' else gen_random_bytes(32 + i % 200) end
from generate_series(0, 7999) i;
insert into session (scope_id, state, bytes, ratio, took, valid, address, labels, note)
select 'o_' || lpad((i % 2000)::text, 10, '0'),
       (enum_range(null::session_state))[i % 4 + 1],
       case when i % 100 = 0 then 'NaN' else i / 7.0 end,
       (array[0.1 + 0.2, '-0', 'NaN', '-Infinity', 5e-324])[i % 5 + 1],
       make_interval(months => i % 30, secs => i / 3.0),
       tstzrange('infinity'::timestamptz - '0 s'::interval, null),
       case when i % 2 = 0 then '10.1.2.3/24' else 'fe80::1' end::inet,
       case when i % 3 = 0 then null else array['a,b', null, '{"x"}', '\', i::text] end,
       case when i % 9 > 0 then repeat(e'\t\r\n\\.\n', i % 4) || 'ünï' || i end
from generate_series(0, 19999) i;
insert into "session history"
select gen_random_uuid(), scope_id, state, bytes, ratio, took, valid, address, labels, note, row_number() over ()
from session limit 5000;
insert into nothing default values;
insert into cache select 'k' || i, md5(i::text) from generate_series(1, 500) i;
-- As many tables as Boundary has.
do $$
begin
  for i in 1..200 loop
    execute format('create table part_%s (id serial primary key, at date default current_date, value text unique)', i);
    execute format('insert into part_%s (value) select md5(n::text) from generate_series(1, %s) n', i, i);
  end loop;
end
$$;
select nextval('audit_seq'), nextval('audit_seq');
select setval(pg_get_serial_sequence('kms_data_key_version', 'id'), 9000000000, false);
insert into attachment
select 'recording ' || i, lo_from_bytea(0, decode(repeat('00ff0d0a5c', 20000 + i), 'hex')) from generate_series(1, 3) i;
analyze;
refresh materialized view counted;
