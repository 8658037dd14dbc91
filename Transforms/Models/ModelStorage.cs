using Microsoft.ML;
using MLExtensions.Heads;
using static TorchSharp.torch;

namespace MLExtensions.Models;

internal static class ModelStorage
{
    public static void Save(ModelSaveContext ctx, NetworkModelParameters model) => throw new NotImplementedException();

    public static (NetworkArchitecture Architecture, PredictionHead Head, nn.Module<Tensor, Tensor> Network, TrainingHistory History) Load(ModelLoadContext ctx) => throw new NotImplementedException();
}
