/** Reads the import statements of TypeScript and Svelte files and holds them against the table of rooms. Pure. */
import { dirname, join } from "node:path/posix";
import ts from "typescript";
import { ROOMS, type Room } from "./rooms.ts";

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const SCRIPT_BLOCK = /<script\b[^>]*>([\s\S]*?)<\/script>/g;

/** The scripts of a Svelte component, or the whole of any other file. */
function sourceOf(path: string, text: string): string {
  if (!path.endsWith(".svelte")) return text;
  return [...text.matchAll(SCRIPT_BLOCK)].map((block) => block[1] ?? "").join("\n");
}

/** True for `import type …` and for `import { type A, type B } …`, which the compiler erases whole. */
function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const names = clause.namedBindings;
  if (clause.name !== undefined || names === undefined || !ts.isNamedImports(names)) return false;
  return names.elements.length > 0 && names.elements.every((element) => element.isTypeOnly);
}

function importOf(node: ts.Node): Import | null {
  const asImport = (target: ts.Node | undefined, typeOnly: boolean): Import | null =>
    target !== undefined && ts.isStringLiteralLike(target) ? { specifier: target.text, typeOnly } : null;
  if (ts.isImportDeclaration(node)) return asImport(node.moduleSpecifier, isTypeOnly(node.importClause));
  if (ts.isExportDeclaration(node)) return asImport(node.moduleSpecifier, node.isTypeOnly);
  if (ts.isImportTypeNode(node)) {
    return ts.isLiteralTypeNode(node.argument) ? asImport(node.argument.literal, true) : null;
  }
  const isImportCall = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  return isImportCall ? asImport(node.arguments[0], false) : null;
}

/** Every import of a file: statements, re-exports, `import()` and `import("…")` types. */
export function readImports(path: string, text: string): Import[] {
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    const statement = importOf(node);
    if (statement !== null) found.push(statement);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, sourceOf(path, text), ts.ScriptTarget.ESNext, false, ts.ScriptKind.TS));
  return found;
}

const roomOf = (path: string): Room | undefined => ROOMS.find((room) => room.files.test(path));

/** `anthropic` for `worker/protocols/anthropic/usage.ts`; null for a file beside the variants' folders. */
const variantOf = (path: string): string | null => path.split("/").slice(2, -1)[0] ?? null;

function packageComplaint(room: Room, specifier: string): string | null {
  if (room.packages === null) return null;
  const allowed = room.packages.some((name) => specifier === name || specifier.startsWith(`${name}/`));
  return allowed ? null : `${room.name} may not import the package ${specifier}`;
}

function variantComplaint(path: string, target: string, shared: readonly string[]): string | null {
  const own = variantOf(path);
  if (own === null) return null;
  if (/^[^/]+\/[^/]+\/index\.ts$/.test(target)) return `a variant may not import the registry ${target}`;
  const other = variantOf(target);
  if (other === null || other === own || shared.includes(other)) return null;
  return `${own} may not import ${other}, the variant beside it`;
}

function roomComplaint(room: Room, target: string, typeOnly: boolean): string | null {
  const targetRoom = roomOf(target);
  if (targetRoom === undefined) return `${room.name} may not import ${target}, which is in no room`;
  if (targetRoom === room || room.imports.includes(targetRoom.name)) return null;
  if (!room.imports.includes(`type:${targetRoom.name}`))
    return `${room.name} may not import ${targetRoom.name}`;
  return typeOnly ? null : `${room.name} may import only types of ${targetRoom.name}`;
}

function complaint(path: string, room: Room, statement: Import): string | null {
  const { specifier, typeOnly } = statement;
  if (!specifier.startsWith(".")) return packageComplaint(room, specifier);
  const target = join(dirname(path), specifier);
  if (room.variants !== undefined && roomOf(target) === room) {
    return variantComplaint(path, target, room.variants.shared);
  }
  return roomComplaint(room, target, typeOnly);
}

/** One sentence for each import of the file that the table does not allow. Paths are relative to the root. */
export function violations(path: string, text: string): string[] {
  const room = roomOf(path);
  if (room === undefined) return [`${path}: is in no room; add a row to the table`];
  const complaints = readImports(path, text).map((statement) => complaint(path, room, statement));
  return complaints.filter((sentence) => sentence !== null).map((sentence) => `${path}: ${sentence}`);
}
