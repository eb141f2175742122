// The description is valid OpenAPI 3.1, by the specification's own JSON schema.
import { expect } from 'chai'
import { Validator } from '@seriousme/openapi-schema-validator'
import { openApiDocument } from '../../../../src/http/describe/document.ts'
import { everyDialect } from '../../../support/service/dialects.ts'

describe('openApiDocument', () => {
  it('is valid OpenAPI 3.1', async () => {
    const endpoints = everyDialect().flatMap((dialect) => dialect.endpoints)
    const document = JSON.parse(JSON.stringify(openApiDocument({ endpoints, version: '1.2.3' }))) as Record<
      string,
      unknown
    >

    const validator = new Validator()
    const { valid, errors } = await validator.validate(document)

    expect({ valid, errors }).to.deep.equal({ valid: true, errors: undefined })
    expect(validator.version).to.equal('3.1')
  })
})
