import { describeRecipes } from '../support/delivery/suite.js'

describeRecipes({ large: true })
