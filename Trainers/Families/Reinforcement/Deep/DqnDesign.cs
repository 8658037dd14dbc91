using Microsoft.ML.Data;
using Microsoft.ML;
using MLExtensions.Tensors;
using MLExtensions.Training;

namespace MLExtensions.Families.Reinforcement;

/// <summary>What options and an environment, or columns, make of a deep Q-network.</summary>
/// <param name="Architecture">The network.</param>
/// <param name="Actions">The actions in the order of its outputs.</param>
/// <param name="Replay">What the replay buffer keeps.</param>
internal sealed record DqnDesign(ActionValueArchitecture Architecture, PolicyKeys Actions, ReplayFormat Replay)
{
    private const int LeastNaturePixels = 36;
    private const int LeastMinAtarPixels = 3;
    private const int ImageDimensions = 3;
    private const float WhitePixel = 255;

    /// <exception cref="ArgumentException">Layers or initial model do not fit; the message names the option.</exception>
    public static DqnDesign Of(DqnEstimator.Options options, IEnvironment environment)
    {
        var box = environment.ObservationSpace as BoxSpace;
        var states = environment.ObservationSpace as DiscreteSpace;
        var image = box?.Shape is [var channels, var height, var width] ? new ImageShape((int)channels, (int)height, (int)width) : null;
        var arePixels = image != null && box!.Low.Span.IndexOfAnyExcept(0) < 0 && box.High.Span.IndexOfAnyExcept(WhitePixel) < 0;
        CheckActions((ulong)environment.ActionSpace.Count, environment.Name);
        var known = WarmStart.Find(options.InitialModel) as PolicyWeights;
        var actions = ActionsFor(environment, known);
        // With other numbers they are other states, though there may be as many.
        if (known?.Architecture is ActionValueArchitecture { StateCount: { } count } before && states != null && (count, before.FirstState) != (states.Count, states.Start))
            throw new ArgumentException(FormattableString.Invariant($"{nameof(options.InitialModel)} has {count} states from {before.FirstState}; {environment.Name} has {states.Count} from {states.Start}. They must be the same."), nameof(options.InitialModel));
        var shape = Shape(options, environment.ObservationSpace.Size, actions.Count, image, arePixels) with { StateCount = states?.Count, FirstState = states?.Start ?? 0 };
        var frames = FramesOf(environment);
        return Create(options, shape, actions, arePixels, frames, environment.Name);
    }

    /// <exception cref="ArgumentException">Columns, layers or initial model do not fit; the message names column or option.</exception>
    public static DqnDesign Of(DqnEstimator.Options options, IDataView input)
    {
        var column = FeatureRows.Find(input.Schema, options.StateColumnName);
        var image = options.ImageShape != null || column.Type is VectorDataViewType { Dimensions.Length: ImageDimensions } ? ImageShape.Of(column, options.ImageShape) : null;
        if (image is { Layout: not PixelLayout.Planar })
            throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has images whose values lie pixel after pixel ({column.Type}); a network needs them channel after channel here."), nameof(options.StateColumnName));
        var action = FeatureRows.Find(input.Schema, options.ActionColumnName);
        CheckActions(((KeyDataViewType)action.Type).Count, $"Column '{action.Name}'");
        var names = KeyNames.Of(action);
        var actions = new PolicyKeys(names?.Count ?? (int)((KeyDataViewType)action.Type).Count, names, null);
        var known = WarmStart.Find(options.InitialModel) as PolicyWeights;
        actions = known?.Actions ?? actions; // the log's keys are found among them
        var shape = Shape(options, FeatureReader.WidthOf(column), actions.Count, image, arePixels: false);
        if (shape is { InputCount: 1, Image: null } && known?.Architecture is ActionValueArchitecture { StateCount: not null } numbered)
            shape = shape with { StateCount = numbered.StateCount, FirstState = numbered.FirstState };
        return Create(options, shape, actions, arePixels: false, frames: 1, $"column '{column.Name}'");
    }

    /// <exception cref="ArgumentException">Other data has states of another size.</exception>
    public void CheckSize(DqnDesign other, string column)
    {
        if (other.Architecture.InputCount != Architecture.InputCount)
            throw new ArgumentException(FormattableString.Invariant($"Column '{column}' has {other.Architecture.InputCount} values; that of the training data has {Architecture.InputCount}."));
    }

    /// <exception cref="ArgumentException">A policy of so many actions could be saved, but not be loaded.</exception>
    private static void CheckActions(ulong count, string source)
    {
        if (count > DqnTransformer.MostActions)
            throw new ArgumentException(FormattableString.Invariant($"{source} has {count} actions; a deep Q-network can have {DqnTransformer.MostActions}. Keys of MapValueToKey are numbered without gaps."));
    }

    private static ActionValueArchitecture Shape(DqnEstimator.Options options, int size, int actions, ImageShape? image, bool arePixels)
    {
        var layers = options.Layers ?? (image == null || Math.Min(image.Height, image.Width) < LeastMinAtarPixels ? DqnLayers.Perceptron() : image.Height < LeastNaturePixels || image.Width < LeastNaturePixels ? DqnLayers.MinAtar() : DqnLayers.Nature());
        var (shared, value, advantage) = options.Dueling ? Split(layers) : (layers, [], []);
        return new ActionValueArchitecture
        {
            InputCount = size,
            OutputCount = actions,
            StateCount = null,
            FirstState = 0,
            Image = image,
            InputDivisor = options.InputDivisor ?? (arePixels ? WhitePixel : 1),
            Layers = shared,
            ValueLayers = value,
            AdvantageLayers = advantage,
        };
    }

    private static DqnDesign Create(DqnEstimator.Options options, ActionValueArchitecture architecture, PolicyKeys actions, bool arePixels, int frames, string source)
    {
        OptionCheck.Require(architecture.StateCount == null || options.Precision != Precision.BFloat16, options.Precision, nameof(options.Precision), $"{Precision.Float32} with numbered states");
        try
        {
            architecture.Check();
        }
        catch (FormatException e)
        {
            throw new ArgumentException($"{nameof(options.Layers)}: the network for {source} is not possible: {e.Message}", nameof(options.Layers), e);
        }
        if (architecture.Leaves.FirstOrDefault(placed => placed.Layer is BatchNormalizationLayer) is { Layer: not null } normalization)
            throw new ArgumentException($"{nameof(options.Layers)}: layer '{normalization.Site.Path}' is batch normalization; a deep Q-network can have none, because its batches are drawn from a memory that changes.", nameof(options.Layers));
        var storage = options.ReplayStorage != ReplayStorage.Automatic ? options.ReplayStorage : arePixels ? ReplayStorage.Byte : ReplayStorage.Single;
        return new DqnDesign(architecture, actions, new ReplayFormat(architecture.InputCount / frames, frames, storage, arePixels, actions.Count, options.PrioritizedReplay));
    }

    /// <summary>The last hidden layer and all that follows it are there twice.</summary>
    private static (IReadOnlyList<ImageLayer> Shared, IReadOnlyList<ImageLayer> Value, IReadOnlyList<ImageLayer> Advantage) Split(IReadOnlyList<ImageLayer> layers)
    {
        if (layers is not [.., DenseLayer { Units: null } last])
            throw new ArgumentException($"{nameof(DqnEstimator.Options.Layers)} does not end with a {nameof(DenseLayer)} without a number of units; with {nameof(DqnEstimator.Options.Dueling)} it must.", nameof(DqnEstimator.Options.Layers));
        var hidden = layers.Take(layers.Count - 1).ToList().FindLastIndex(layer => layer is DenseLayer);
        var first = hidden < 0 ? layers.Count - 1 : hidden;
        return ([.. layers.Take(first)], [.. layers.Skip(first)], [.. layers.Skip(first)]);
    }

    /// <summary>A model that goes on keeps the order of its actions.</summary>
    private static PolicyKeys ActionsFor(IEnvironment environment, PolicyWeights? known)
    {
        var space = environment.ActionSpace;
        if (known == null)
            return new PolicyKeys(space.Count, null, space.Start);
        var actions = known.Actions;
        if (actions.Names == null && actions.Start == null)
            actions = actions with { Start = space.Start }; // keys without names are numbers
        var wrong = actions.Count != space.Count || Enumerable.Range(space.Start, space.Count).Any(action => actions.PlaceOf(action) < 0);
        if (wrong)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(DqnEstimator.Options.InitialModel)} has {actions.Count} actions{(actions.ColumnNames is { } names ? $", {Messages.NameList.Of(names)}" : "")}; {environment.Name} has {space}. They must be the same; keys must stand for the numbers of the environment."), nameof(DqnEstimator.Options.InitialModel));
        return actions;
    }

    /// <summary>The number of frames that are shown together, found through wrappers that leave observations as they are.</summary>
    private static int FramesOf(IEnvironment environment)
    {
        while (environment is CheckedEnvironment or TimeLimit or RewardClip or EpisodeStatistics)
            environment = ((EnvironmentWrapper)environment).Inner;
        return environment is FrameStack stack ? stack.Count : 1;
    }
}
