// Where marchingcubes.js, which is written for Node, puts its function.
const exports = {};
