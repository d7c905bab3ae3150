// Prisma's schema engine, as `prisma db pull`, `db push` and `migrate diff` run it, by way of its adapter for node-postgres.
// The command line's own engine is a binary that is downloaded; this is the same engine, as the registry's package holds it.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(process.env.SALLYPORT_TEST_NODE + '/')
const pg = require('pg')
const { PrismaPg } = require('@prisma/adapter-pg')
const { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } = require('@prisma/driver-adapter-utils')
const glue = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg')
globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => console.error(message) }
const wasm = await import(glue)
const { instance } = await WebAssembly.instantiate(readFileSync(glue.replace(/\.js$/, '.wasm')), { './schema_engine_bg.js': wasm })
wasm.__wbg_set_wasm(instance.exports)
instance.exports.__wbindgen_start()

const show = (name, value) => console.log(`## ${name}\n${typeof value === 'string' ? value : JSON.stringify(value, null, 1)}`)
// The adapter does not know the catalog's own type "char", which the engine asks for.
const single = new Map() // by statement: its columns of that type
class Pool extends pg.Pool {
  async query(query, ...rest) {
    const result = await super.query(query, ...rest)
    single.set(query.text, result.fields.flatMap((field, i) => (field.dataTypeID === 18 ? [i] : [])))
    for (const field of result.fields) if (field.dataTypeID === 18) field.dataTypeID = 25
    return result
  }
}
const factory = new PrismaPg(new Pool({ max: 4 }))
const connect = factory.connect.bind(factory)
factory.connect = async () => {
  const connection = await connect()
  const queryRaw = connection.queryRaw.bind(connection)
  connection.queryRaw = async (query) => {
    const result = await queryRaw(query)
    for (const i of single.get(query.sql) ?? []) result.columnTypes[i] = ColumnTypeEnum.Character
    return result
  }
  return connection
}
const adapter = bindMigrationAwareSqlAdapterFactory(factory)
const container = (content) => ({ files: [{ path: 'schema.prisma', content }] })
const source = 'datasource db {\n  provider = "postgresql"\n}\n'
const filters = { externalTables: [], externalEnums: [] }

const open = (schema) => wasm.SchemaEngine.new({ datamodels: [['schema.prisma', schema]] }, () => {}, adapter)
const engine = await open(source)
show('version', String(await engine.version?.()).replace(/\).*/s, ')'))
const pulled = await engine.introspect({
  schema: container(source), baseDirectoryPath: '.', force: false, compositeTypeDepth: -1, namespaces: null,
})
show('pulled', pulled.schema.files[0].content)
show('views', pulled.views)
show('warnings', pulled.warnings ?? 'none')

const more = 'model Note {\n  id Int @id @default(autoincrement())\n  body String @db.VarChar(100)\n  at DateTime @default(now())\n  @@index([at])\n}\n'
const wider = pulled.schema.files[0].content + more
const second = await open(wider)
const pushed = await second.schemaPush({ force: false, schema: container(wider), filters })
show('pushed', pushed)
show('pushed again', await second.schemaPush({ force: false, schema: container(wider), filters }))
const again = await second.introspect({ schema: container(source), baseDirectoryPath: '.', force: true, compositeTypeDepth: -1, namespaces: null })
show('pulled again', again.schema.files[0].content)
process.exit(0)
