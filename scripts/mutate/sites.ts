/** Where a careless author could have written something else: read from the syntax tree of a source that solc gives. */

/** A node of solc's syntax tree; `src` is start, length and file, in bytes. */
export interface Node { readonly nodeType: string, readonly src: string, readonly [field: string]: unknown }

/** A place, in bytes, the function it is in, and what could stand there instead; an empty string drops a statement. */
export interface Site { readonly start: number, readonly end: number, readonly isStatement: boolean, readonly within: string, readonly others: readonly string[] }

const OPERATORS: Readonly<Record<string, string>> = {
  '<=': '<', '<': '<=', '>=': '>', '>': '>=', '==': '!=', '!=': '==', '&&': '||', '||': '&&', '+': '-', '-': '+', '+=': '-=', '-=': '+=', '|=': '='
}

export const rangeOf = ({ src }: Node): [number, number] => {
  const [start = 0, length = 0] = src.split(':').map(Number)
  return [start, start + length]
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'nodeType' in value
const child = (node: Node, field: string): Node => node[field] as Node

/** Children, less the headers of loops: their mutants run without an end or out of bounds. */
function childrenOf (node: Node): Node[] {
  const skipped = node.nodeType === 'ForStatement' ? ['initializationExpression', 'condition', 'loopExpression'] : []
  return Object.entries(node).filter(([field]) => !skipped.includes(field)).flatMap(([, value]) => Array.isArray(value) ? value : [value]).filter(isNode)
}

function endsInRevert (statement: Node): boolean {
  if (statement.nodeType !== 'Block') return statement.nodeType === 'RevertStatement'
  const statements = statement['statements'] as Node[]
  return statements.length === 1 && statements[0]?.nodeType === 'RevertStatement'
}

/** What could stand at this node instead. */
function othersOf (node: Node, text: (node: Node) => string): string[] {
  if (node.nodeType === 'BinaryOperation') {
    const other = OPERATORS[node['operator'] as string]
    return other === undefined ? [] : [`(${text(child(node, 'leftExpression'))}) ${other} (${text(child(node, 'rightExpression'))})`]
  }
  if (node.nodeType === 'UnaryOperation' && node['operator'] === '!') return [text(child(node, 'subExpression'))]
  if (node.nodeType === 'Conditional') return [`${text(child(node, 'condition'))} ? ${text(child(node, 'falseExpression'))} : ${text(child(node, 'trueExpression'))}`]
  if (node.nodeType === 'IfStatement') return !isNode(node['falseBody']) && endsInRevert(child(node, 'trueBody')) ? [''] : []
  if (node.nodeType !== 'ExpressionStatement') return []
  const expression = child(node, 'expression')
  if (expression.nodeType !== 'Assignment') return ['']
  const { typeString } = expression['typeDescriptions'] as { typeString: string }
  if (typeString.endsWith(' storage pointer')) return [] // must be assigned, or nothing compiles
  const other = OPERATORS[expression['operator'] as string]
  return other === undefined ? [''] : ['', `${text(child(expression, 'leftHandSide'))} ${other} ${text(child(expression, 'rightHandSide'))}`]
}

/** The places of a source's contracts by where they begin, outer ones before those inside them. */
export function sitesOf (unit: Node, source: Buffer): Site[] {
  const text = (node: Node): string => source.subarray(...rangeOf(node)).toString()
  const visit = (node: Node, within: string): Site[] => {
    if (node.nodeType.startsWith('Yul') || node['constant'] === true) return []
    const name = /^(Function|Modifier)Definition$/.test(node.nodeType) ? (node['name'] as string) || 'constructor' : within
    const [start, end] = rangeOf(node)
    const others = othersOf(node, text)
    const own = others.length === 0 ? [] : [{ start, end, isStatement: node.nodeType.endsWith('Statement'), within: name, others }]
    return [...own, ...childrenOf(node).flatMap((inner) => visit(inner, name))]
  }
  const contracts = (unit['nodes'] as Node[]).filter(({ nodeType }) => nodeType === 'ContractDefinition')
  return contracts.flatMap((contract) => visit(contract, '')).sort((one, other) => one.start - other.start || other.end - one.end)
}
