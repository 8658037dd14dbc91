using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Calibrators;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using MLExtensions.Models;
using MLExtensions.Scoring;

namespace MLExtensions;

/// <summary>Finds the networks in a trained pipeline, and describes them.</summary>
public static class NetworkExtensions
{
    /// <summary>Returns the network of a transformer, or the only one in a chain of transformers, however deep.</summary>
    /// <param name="model">A trained or loaded model, such as the chain that <c>Fit</c> returns.</param>
    /// <returns>The network, which belongs to its transformer: do not dispose it.</returns>
    /// <exception cref="ArgumentException">There is no network, or there are several; the message says what there is.</exception>
    /// <example>
    /// <code>
    /// ITransformer model = pipeline.Fit(data);
    /// Console.WriteLine(model.Network().Summary());
    /// Console.WriteLine(model.Network().History);
    /// </code>
    /// </example>
    public static NetworkModelParameters Network(this ITransformer model)
    {
        var holders = Steps(model).Where(step => NetworksOf(step).Count > 0).ToArray();
        var networks = holders.SelectMany(NetworksOf).ToArray();
        return networks switch
        {
            [var network] => network,
            [] => throw new ArgumentException($"The model has no network of this library; it has {Names(Steps(model))}.", nameof(model)),
            _ => throw new ArgumentException(FormattableString.Invariant($"The model has {networks.Length} networks, in {Names(holders)}. Use Networks(), or FindNetwork<T>() with the type of the transformer."), nameof(model)),
        };
    }

    /// <summary>Returns all networks of a transformer or of a chain of transformers, however deep, in the order of the chain.</summary>
    /// <param name="model">A trained or loaded model.</param>
    /// <returns>
    /// The networks, which belong to their transformers: do not dispose them. An RBM stack has one per RBM, and a model of ML.NET's
    /// <c>PairwiseCoupling</c> one per pair of classes and per class: (0, 0), (1, 0), (1, 1), (2, 0) and so on.
    /// </returns>
    public static IReadOnlyList<NetworkModelParameters> Networks(this ITransformer model) =>
        Steps(model).SelectMany(NetworksOf).ToArray();

    /// <summary>Returns the only transformer of a type in a chain of transformers, however deep, or the transformer itself.</summary>
    /// <typeparam name="T">Its type, such as <see cref="MulticlassNetworkTransformer"/>; a base class is allowed.</typeparam>
    /// <param name="model">A trained or loaded model.</param>
    /// <exception cref="ArgumentException">There is none, or there are several; the message says what there is.</exception>
    /// <example>
    /// <code>
    /// var forecaster = ml.Model.Load("model.zip", out _).FindNetwork&lt;LstmForecastingTransformer&gt;();
    /// float[] next = forecaster.Forecast(history);
    /// </code>
    /// </example>
    public static T FindNetwork<T>(this ITransformer model)
        where T : class, ITransformer
    {
        var steps = Steps(model).ToArray();
        return steps.OfType<T>().ToArray() switch
        {
            [var found] => found,
            [] => throw new ArgumentException($"The model has no {NameOf(typeof(T))}; it has {Names(steps)}.{(steps.Any(step => NetworksOf(step).Count > 0) ? " Networks() gives all networks in them." : "")}", nameof(model)),
            var found => throw new ArgumentException(FormattableString.Invariant($"The model has {found.Length} transformers of the type {NameOf(typeof(T))}: {Names(found)}."), nameof(model)),
        };
    }

    /// <summary>Describes all networks of a transformer or chain: a table of layers each, as <see cref="NetworkArchitecture.Summary"/>.</summary>
    /// <param name="model">A trained or loaded model.</param>
    /// <exception cref="ArgumentException">There is no network; the message says what there is.</exception>
    public static string Summary(this ITransformer model)
    {
        var networks = Networks(model);
        return networks.Count <= 1
            ? Network(model).Summary()
            : string.Join(Environment.NewLine, networks.Select((network, i) => FormattableString.Invariant($"network {i + 1} of {networks.Count}{Environment.NewLine}{network.Summary()}")));
    }

    /// <summary>
    /// Says how the networks of a transformer or of a chain of transformers score. It applies to data that is read and prediction engines that are created
    /// afterwards, and is not saved with the model.
    /// </summary>
    /// <param name="model">A trained or loaded model.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="ArgumentException">An option is out of range, or there is no network; the message says what there is.</exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime is asked for and cannot be loaded.</exception>
    /// <exception cref="NotSupportedException">ONNX Runtime is asked for, and a transformer of the model needs libtorch.</exception>
    /// <exception cref="ObjectDisposedException">A network was disposed.</exception>
    /// <example>
    /// <code>
    /// ITransformer model = ml.Model.Load("model.zip", out _);
    /// model.SetScoring(new ScoringOptions { Engine = ScoringEngine.OnnxRuntime, ThreadCount = 1 });
    /// </code>
    /// </example>
    public static void SetScoring(this ITransformer model, ScoringOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        var networks = Networks(model);
        if (networks.Count == 0)
            throw new ArgumentException($"The model has no network of this library; it has {Names(Steps(model))}.", nameof(model));
        foreach (var network in networks)
            network.Lease().Dispose(); // one that is disposed says so
        var usesRuntime = ScoringEngines.UsesOnnxRuntime(options); // says at once if it is missing
        foreach (var step in Steps(model))
        {
            if (usesRuntime && (options.Engine != ScoringEngine.Automatic || options.Gpu != null) && (step as NetworkColumnsTransformer)?.WhyLibtorch is { } why)
                throw new NotSupportedException($"{nameof(ScoringOptions)} ask for ONNX Runtime ({nameof(ScoringOptions.Engine)} or {nameof(ScoringOptions.Device)}), but {NameOf(step.GetType())} needs libtorch: {why}.");
        }
        foreach (var step in Steps(model))
        {
            // The first network of those that compute a row together; others, such as a discriminator, may be used by another transformer.
            foreach (var network in step is NetworkColumnsTransformer ? NetworksOf(step).Take(1) : NetworksOf(step))
                network.Weights.Scoring = options;
        }
    }

    /// <summary>The transformers of a chain, those of chains in it as well.</summary>
    /// <summary>The steps of a model, those of chains in it, too.</summary>
    internal static IEnumerable<ITransformer> Steps(ITransformer model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model is IEnumerable<ITransformer> chain ? chain.SelectMany(Steps) : [model];
    }

    private static IReadOnlyList<NetworkModelParameters> NetworksOf(ITransformer step) => step switch
    {
        IHasNetworks holder => holder.Networks,
        ISingleFeaturePredictionTransformer<PairwiseCouplingModelParameters> pairs => PredictorsOf(pairs.Model).Select(NetworkOf).OfType<NetworkModelParameters>().ToArray(),
        _ => [],
    };

    /// <summary>ML.NET calibrates each network of a pair once more.</summary>
    private static object NetworkOf(object predictor) => predictor is IWeaklyTypedCalibratedModelParameters calibrated ? calibrated.WeaklyTypedSubModel : predictor;

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_predictors")]
    private static extern ref IDistPredictorProducing<float, float>[] PredictorsOf(PairwiseCouplingModelParameters model);

    private static string Names(IEnumerable<object> transformers)
    {
        var names = transformers.Select(transformer => NameOf(transformer.GetType())).ToArray();
        return names.Length == 0 ? "no transformers at all" : string.Join(", ", names);
    }

    private static string NameOf(Type type) => type.Name.Split('`')[0];
}
