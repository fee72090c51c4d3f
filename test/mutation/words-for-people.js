// Keeps the texts of `.describe('…')` out of the mutation tests: they are the reference's words about a setting
// (docs/reference/configuration.md is made of them), and no rule hangs on them.
export const strykerPlugins = [
  {
    kind: 'Ignore',
    name: 'words-for-people',
    value: {
      shouldIgnore(path) {
        const call = path.parentPath;
        if (!call?.isCallExpression() || path.listKey !== 'arguments') return undefined;
        const { callee } = call.node;
        const describes = callee.type === 'MemberExpression' && callee.property.name === 'describe';
        return describes ? 'a text that describes a setting' : undefined;
      },
    },
  },
];
