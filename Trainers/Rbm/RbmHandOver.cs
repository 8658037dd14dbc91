namespace MLExtensions;

/// <summary>Lets a supervised network start from machines that were trained without labels.</summary>
public static class RbmHandOver
{
    /// <param name="machines">The trained machines.</param>
    extension(RbmTransformer machines)
    {
        /// <summary>
        /// The hidden layers of a perceptron that can start from the machines: set it as its <see cref="MlpOptions.HiddenLayers"/>, the transformer as its
        /// <see cref="TrainingOptions.InitialModel"/>, and the column that the machines read as its features. The output layer starts anew.
        /// </summary>
        /// <remarks>Hinton, Osindero and Teh, 2006. Bernoulli units become sigmoid units, ReLU units ReLUs, Gaussian units linear ones.</remarks>
        public IReadOnlyList<HiddenLayer> ToHiddenLayers() => machines.Layers
            .Select(layer => (RbmArchitecture)layer.Architecture)
            .Select(machine => new HiddenLayer(machine.OutputCount) { Activation = machine.HiddenActivation })
            .ToArray();
    }
}
