namespace MLExtensions.Snippets;

/// <summary>What makes the data and the files that the blocks of each document take for granted.</summary>
internal static class Setup
{
    private static readonly Dictionary<string, Action<Snippet>> Setups = new()
    {
        ["README.md"] = Numbers.Readme,
        ["Catalog/PACKAGE.md"] = Numbers.Readme,
        ["Galleries/PACKAGE.md"] = Galleries.Prepare,
        ["Serving/PACKAGE.md"] = Servers.Prepare,
        ["Transforms/PACKAGE.md"] = Servers.Prepare,
        ["docs/distributed.md"] = Numbers.Training,
        ["docs/gpu.md"] = Numbers.Training,
        ["docs/onnx.md"] = Exports.Prepare,
        ["docs/pad.md"] = Generation.Adversaries,
        ["docs/pitfalls.md"] = Numbers.Houses,
        ["docs/serving.md"] = Servers.Prepare,
        ["docs/training.md"] = Numbers.Training,
        ["docs/families/autoencoder.md"] = Numbers.Codes,
        ["docs/families/cnn.md"] = Images.Photos,
        ["docs/families/forecasting.md"] = Series.Forecasting,
        ["docs/families/gan-inpainting.md"] = Generation.Inpainting,
        ["docs/families/gan.md"] = Generation.Adversaries,
        ["docs/families/generative-metrics.md"] = Generation.Metrics,
        ["docs/families/hidden-markov-models.md"] = Series.HiddenMarkov,
        ["docs/families/language-models.md"] = Texts.LanguageModels,
        ["docs/families/metric-learning.md"] = Numbers.Embeddings,
        ["docs/families/mlp.md"] = Numbers.Classes,
        ["docs/families/quatrains.md"] = Texts.Quatrains,
        ["docs/families/rbm.md"] = Numbers.Codes,
        ["docs/families/recurrent.md"] = Texts.Topics,
        ["docs/families/reinforcement.md"] = Reinforcement.Prepare,
        ["docs/families/resnet.md"] = Images.SmallImages,
        ["docs/families/search.md"] = Galleries.Prepare,
        ["docs/families/sequence-to-sequence-data.md"] = Conversations.Data,
        ["docs/families/sequence-to-sequence.md"] = Conversations.Questions,
        ["docs/families/style.md"] = Images.Style,
    };

    public static IEnumerable<string> Documents => Setups.Keys;

    public static Action<Snippet> Of(string document) => Setups[document];

    /// <summary>Why a block cannot be run here, or null where it can. As few as possible.</summary>
    public static string? ReasonToSkip(Snippet snippet) => snippet switch
    {
        _ when snippet.Has("\"python3\"") && !Reinforcement.HasPython => "There is no python3.",
        _ when snippet.Has("ImageTrunk.DlibFace(") && !Images.HasFaceNetwork => "dlib's face network is not there: set MLEXTENSIONS_DATA to the folder of the data.",
        _ => null,
    };

    /// <summary>Why a block is ended after the first epoch of its training, or null where it is run to its end.</summary>
    public static string? ReasonToShorten(Snippet snippet) => snippet switch
    {
        _ when snippet.Has("Console.WriteLine(ml.ReinforcementLearning.Evaluate(balancer, pole)); // 500") =>
            "50,000 steps of CartPole take 10 to 16 seconds of a processor; only the first epoch was run.",
        _ => null,
    };
}
