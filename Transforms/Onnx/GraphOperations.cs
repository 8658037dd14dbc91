using Microsoft.ML.Model.OnnxConverter;

namespace MLExtensions.Onnx;

/// <summary>What networks of all families are made of.</summary>
internal static class GraphOperations
{
    private const double LeakySlope = 0.01;

    extension(GraphWriter graph)
    {
        /// <summary>A dense layer.</summary>
        /// <param name="x"><c>[rows, inputs]</c>.</param>
        /// <param name="path">The name of the layer, with the weights <c>[units, inputs]</c>, as torch has them.</param>
        /// <param name="inputs">The number of inputs.</param>
        /// <param name="units">The number of units.</param>
        /// <param name="bias">Whether there is a bias.</param>
        public string Dense(string x, string path, long inputs, long units, bool bias = true) =>
            graph.Product(x, graph.Weight(path + ".weight", units, inputs), bias ? graph.Weight(path + ".bias", units) : null, transposed: false);

        /// <summary>A product with weights, and a bias.</summary>
        /// <param name="x"><c>[rows, inputs]</c>.</param>
        /// <param name="weight"><c>[units, inputs]</c>, or <c>[inputs, units]</c> if transposed.</param>
        /// <param name="bias"><c>[units]</c>; null for none.</param>
        /// <param name="transposed">Whether the weights are transposed.</param>
        public string Product(string x, string weight, string? bias, bool transposed) =>
            graph.Node("Gemm", bias == null ? [x, weight] : [x, weight, bias], node => node.AddAttribute("transB", transposed ? 0L : 1L));

        /// <summary>A convolution, or a transposed one.</summary>
        /// <param name="operation">The operator.</param>
        /// <param name="x">The images.</param>
        /// <param name="path">The name of the layer.</param>
        /// <param name="shape">The shape of the weights.</param>
        /// <param name="filters">The number of filters if there is a bias; otherwise null.</param>
        /// <param name="attributes">Sets the attributes.</param>
        public string Convolution(string operation, string x, string path, long[] shape, long? filters, Action<OnnxNode> attributes)
        {
            var weight = graph.Weight(path + ".weight", shape);
            return graph.Node(operation, filters is { } count ? [x, weight, graph.Weight(path + ".bias", count)] : [x, weight], attributes);
        }

        /// <summary>Repeats the pixels of images in both directions.</summary>
        public string Enlarge(string x, int factor) => graph.Node(
            "Resize",
            [x, graph.Constant(new GraphTensor([], 0)), graph.Constant(new GraphTensor([1, 1, factor, factor], 4))],
            node =>
            {
                node.AddAttribute("mode", "nearest");
                node.AddAttribute("coordinate_transformation_mode", "asymmetric");
                node.AddAttribute("nearest_mode", "floor");
            });

        public string BatchNormalization(string x, string path, double epsilon, long channels) => graph.Node(
            "BatchNormalization",
            [x, .. new[] { "weight", "bias", "running_mean", "running_var" }.Select(part => graph.Weight($"{path}.{part}", channels))],
            node => node.AddAttribute("epsilon", epsilon));

        /// <summary>An activation function.</summary>
        /// <param name="x">The values.</param>
        /// <param name="activation">The function.</param>
        /// <param name="path">The name of the layer, whose weight is the slope of <see cref="Activation.PReLU"/>.</param>
        /// <param name="slope">The slope of <see cref="Activation.LeakyReLU"/>; null for the usual one.</param>
        public string Activate(string x, Activation activation, string? path = null, double? slope = null) => activation switch
        {
            Activation.Identity => x,
            Activation.ReLU => graph.Node("Relu", x),
            Activation.LeakyReLU => graph.Node("LeakyRelu", x, node => node.AddAttribute("alpha", slope ?? LeakySlope)),
            Activation.ELU => graph.Node("Elu", x, node => node.AddAttribute("alpha", 1.0)),
            Activation.PReLU => graph.Node("PRelu", [x, graph.Weight(path + ".weight", 1)]),
            Activation.GELU => graph.Gelu(x),
            _ => graph.Node(activation.ToString(), x), // Sigmoid, Tanh, Softplus and Softsign have these names.
        };

        public string Add(string x, string y) => graph.Node("Add", [x, y]);

        public string Multiply(string x, string y) => graph.Node("Mul", [x, y]);

        /// <summary>x * factor + term.</summary>
        public string Scale(string x, double factor, double term = 0)
        {
            var product = factor == 1 ? x : graph.Multiply(x, graph.Constant(factor));
            return term == 0 ? product : graph.Add(product, graph.Constant(term));
        }

        /// <summary>Maps values from one range to another, linearly; as they are if either is unknown.</summary>
        public string Map(string x, ValueRange? from, ValueRange? to)
        {
            if (from == null || to == null || from == to)
                return x;
            var slope = (to.Maximum - to.Minimum) / (from.Maximum - from.Minimum);
            return graph.Scale(x, slope, to.Minimum - (slope * from.Minimum));
        }

        /// <summary>Reshapes; -1 stands for the rows, 0 for the size that a dimension has.</summary>
        public string Reshape(string x, params long[] shape) => graph.Node("Reshape", [x, graph.Numbers(shape)]);

        public string Transpose(string x, params long[] order) => graph.Node("Transpose", x, node => node.AddAttribute("perm", order));

        public string Concatenate(long axis, params string[] parts) => parts.Length == 1 ? parts[0] : graph.Node("Concat", parts, node => node.AddAttribute("axis", axis));

        public string Cast(string x, Type type) => graph.Node("Cast", x, node => node.AddAttribute("to", type));

        public string Slice(string x, long axis, long first, long end) => graph.Node("Slice", [x, graph.Numbers(first), graph.Numbers(end), graph.Numbers(axis)]);

        /// <summary>The sums, means or greatest values over axes.</summary>
        public string Reduce(string operation, string x, bool keepDimensions, params long[] axes) => graph.Node(operation, x, node =>
        {
            node.AddAttribute("axes", axes);
            node.AddAttribute("keepdims", keepDimensions ? 1L : 0L);
        });

        /// <summary>Softmax over the last axis of <c>[rows, values]</c>.</summary>
        public string Softmax(string x, string? output = null) => graph.Node("Softmax", x, node => node.AddAttribute("axis", 1L), output);

        /// <summary>The key of the greatest value, the first one if there are ties: <c>[rows, 1]</c>, counted from 1; 0, a missing key, if a value is NaN.</summary>
        public void LargestKey(string values, string output)
        {
            var place = graph.Node("ArgMax", values, node =>
            {
                node.AddAttribute("axis", 1L);
                node.AddAttribute("keepdims", 1L);
            });
            var isMissing = graph.Node("IsNaN", graph.Reduce("ReduceSum", values, keepDimensions: true, 1));
            var key = graph.Node("Where", [isMissing, graph.Constant(0L), graph.Add(place, graph.Constant(1L))]);
            graph.Node("Cast", key, node => node.AddAttribute("to", typeof(uint)), output);
        }

        /// <summary>A 1 at each of the places and zeros elsewhere.</summary>
        /// <param name="places"><c>[rows, 1]</c>, whole numbers below the count.</param>
        /// <param name="count">The number of places.</param>
        /// <returns><c>[rows, count]</c>.</returns>
        public string OneHot(string places, int count) => graph.Reshape(
            graph.Node("OneHot", [places, graph.Constant((long)count), graph.Constant(new GraphTensor([0, 1], 2))]), -1, count);

        /// <summary>The size of a dimension, a number.</summary>
        public string SizeOf(string x, long dimension) => graph.Node("Gather", [graph.Node("Shape", x), graph.Constant(dimension)]);

        /// <summary>The whole numbers from 0, as many as a number says.</summary>
        public string Range(string count) => graph.Node("Range", [graph.Constant(0L), count, graph.Constant(1L)]);

        /// <summary>Whether a row has a time step.</summary>
        /// <param name="values">Any values of the time steps, <c>[steps, rows, ...]</c>.</param>
        /// <param name="lengths">The number of time steps of each row, <c>[rows, 1]</c>.</param>
        /// <returns><c>[steps, rows, 1]</c>.</returns>
        public string IsStep(string values, string lengths) => graph.Node(
            "Less", [graph.Reshape(graph.Range(graph.SizeOf(values, 0)), -1, 1, 1), graph.Reshape(lengths, 1, -1, 1)]);

        /// <summary>
        /// The values of a table at places. A place outside of it, and -1, stop the computation: nothing in a graph can say what is wrong, but a wrong
        /// value must not come out.
        /// </summary>
        /// <param name="table">Whole numbers; those below 0 are no places either.</param>
        /// <param name="places">Whole numbers.</param>
        /// <param name="what">What the table is of, for the error of the runtime, such as "keys of column 'Label'".</param>
        public string Find(IReadOnlyList<long> table, string places, string what)
        {
            var found = graph.Gather(graph.Numbers([.. table]), graph.Outside(places, table.Count), what);
            if (table.All(value => value >= 0))
                return found;
            var known = Enumerable.Range(0, (int)table.Max() + 1).Select(value => (long)value).ToArray();
            return graph.Gather(graph.Numbers(known), graph.Outside(found, known.Length), what);
        }

        /// <summary>Stops the computation where a condition holds.</summary>
        /// <param name="x">Whole numbers, which are given back.</param>
        /// <param name="condition">The condition for each of them.</param>
        /// <param name="what">What is wrong then, for the error of the runtime.</param>
        public string StopIf(string x, string condition, string what) =>
            graph.Add(x, graph.Gather(graph.Numbers(0), graph.Cast(condition, typeof(long)), what));

        private string Gather(string table, string places, string what) => graph.Node("Gather", [table, places], name: $"unknown {what}");

        /// <summary>Puts what is below 0 to a place that does not exist, instead of counting it from the end.</summary>
        private string Outside(string places, long outside) =>
            graph.Node("Where", [graph.Node("Less", [places, graph.Constant(0L)]), graph.Constant(outside), places]);

        /// <summary>x / 2 (1 + erf(x / sqrt 2)): there is no operator for it before set 20.</summary>
        private string Gelu(string x)
        {
            var erf = graph.Node("Erf", graph.Node("Div", [x, graph.Constant(Math.Sqrt(2))]));
            return graph.Multiply(graph.Multiply(x, graph.Add(erf, graph.Constant(1.0))), graph.Constant(0.5));
        }
    }

    /// <summary>Sets the attributes of a square window.</summary>
    public static void SetWindow(this OnnxNode node, long size, long stride, long padding)
    {
        node.AddAttribute("kernel_shape", new[] { size, size });
        node.AddAttribute("strides", new[] { stride, stride });
        node.AddAttribute("pads", new[] { padding, padding, padding, padding });
    }
}
