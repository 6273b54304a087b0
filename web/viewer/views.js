// The views of ndarray make their methods from text (new Function), which a strict content security
// policy forbids. These do the same by closures. The function stands in the place of ndarray's
// own, and uses what stands around it there: order and CACHED_CONSTRUCTORS.
function compileConstructor(dtype, dimension) {
  const accessors = dtype === 'generic';
  const whole = i => typeof i === 'number' && i >= 0;

  class View {
    constructor(data, shape, stride, offset) {
      this.data = data;
      this.shape = shape;
      this.stride = stride;
      this.offset = offset | 0;
    }

    get dtype() { return dtype; }
    get dimension() { return dimension; }
    get size() { return dimension < 0 ? 0 : this.shape.reduce((n, of) => n * of, 1); }
    get order() { return dimension < 1 ? [] : order.call(this); }

    index(...at) {
      if (dimension < 0) return -1;
      let k = this.offset;
      for (let i = 0; i < dimension; i++) k += this.stride[i] * at[i];
      return k;
    }

    // Pixels are read and written by these: no array is made for their arguments.
    get(a, b, c, d) {
      if (dimension < 0) return undefined;
      let k = this.offset;
      if (dimension > 4) k = this.index(...arguments);
      else {
        if (dimension > 0) k += this.stride[0] * a;
        if (dimension > 1) k += this.stride[1] * b;
        if (dimension > 2) k += this.stride[2] * c;
        if (dimension > 3) k += this.stride[3] * d;
      }
      return accessors ? this.data.get(k) : this.data[k];
    }

    set() {
      if (dimension < 0) return undefined;
      let k = this.offset;
      for (let i = 0; i < dimension; i++) k += this.stride[i] * arguments[i];
      const value = arguments[dimension];
      return accessors ? this.data.set(k, value) : (this.data[k] = value);
    }

    hi(...at) {
      return make(this.data, this.shape.map((n, i) => (whole(at[i]) ? at[i] | 0 : n)), this.stride, this.offset);
    }

    lo(...at) {
      const shape = this.shape.slice();
      let offset = this.offset;
      for (let i = 0; i < dimension; i++) {
        if (!whole(at[i])) continue;
        const skipped = at[i] | 0;
        offset += this.stride[i] * skipped;
        shape[i] -= skipped;
      }
      return make(this.data, shape, this.stride, offset);
    }

    step(...by) {
      const shape = this.shape.slice();
      const stride = this.stride.slice();
      let offset = this.offset;
      for (let i = 0; i < dimension; i++) {
        if (typeof by[i] !== 'number') continue;
        const step = by[i] | 0;
        if (step < 0) offset += stride[i] * (shape[i] - 1);
        shape[i] = Math.ceil(shape[i] / Math.abs(step));
        stride[i] *= step;
      }
      return make(this.data, shape, stride, offset);
    }

    transpose(...axes) {
      const from = this.shape.map((_, i) => (axes[i] === undefined ? i : axes[i] | 0));
      return make(this.data, from.map(i => this.shape[i]), from.map(i => this.stride[i]), this.offset);
    }

    pick(...at) {
      if (dimension < 0) return null;
      const shape = [];
      const stride = [];
      let offset = this.offset;
      for (let i = 0; i < dimension; i++) {
        if (whole(at[i])) {
          offset = (offset + this.stride[i] * at[i]) | 0;
        } else {
          shape.push(this.shape[i]);
          stride.push(this.stride[i]);
        }
      }
      return CACHED_CONSTRUCTORS[dtype][shape.length + 1](this.data, shape, stride, offset);
    }

    valueOf() { return dimension === 0 ? this.get() : this; }
  }

  function make(data, shape, stride, offset) {
    return new View(data, shape ? shape.slice() : [], stride ? stride.slice() : [], offset);
  }
  return make;
}
