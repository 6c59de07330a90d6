import ts from "typescript";

/** TypeScript without its types, in the same lines; of what examples use, only what goes without a trace. */
export function eraseTypes(code: string): string {
  const file = ts.createSourceFile("", code, ts.ScriptTarget.ES2022, true, ts.ScriptKind.TS);
  const erased: [from: number, to: number][] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) {
      erased.push([node.getStart(), node.end]);
      return;
    }
    if (ts.isImportSpecifier(node) && node.isTypeOnly) {
      erased.push([node.getStart(), node.end + (code[node.end] === "," ? 1 : 0)]);
    } else if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node) || ts.isNonNullExpression(node)) {
      erased.push([node.expression.end, node.end]);
    } else if (ts.isCallLikeExpression(node) && "typeArguments" in node && node.typeArguments) {
      erased.push([node.typeArguments.pos - 1, node.typeArguments.end + 1]);
    } else if ("type" in node && node.type && !ts.isTypeNode(node)) {
      // The colon is before the type, and a question mark before that.
      const { pos, end } = node.type as ts.TypeNode;
      const optional = "questionToken" in node && node.questionToken ? 2 : 1;
      erased.push([pos - optional, end]);
    }
    if (!ts.isTypeNode(node)) ts.forEachChild(node, visit);
  };
  visit(file);
  erased.sort((a, b) => b[0] - a[0]);
  return erased.reduce((text, [from, to]) => text.slice(0, from) + text.slice(to), code);
}
